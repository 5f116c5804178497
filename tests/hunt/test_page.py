"""What docs/hunt.md shows is what the command prints."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "hunt.md").read_text(encoding="utf-8")


@pytest.mark.needs("patch")
def test_the_five_minutes_print_what_the_page_says(dstamp, can_hold):
    part = PAGE.partition("## In five minutes")[2].partition("The steps shown")[0]
    scripts = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
    for name, text in zip(("deploy.sh", "check.sh"), scripts, strict=True):
        Path(name).write_text(text, encoding="utf-8")
        Path(name).chmod(0o755)
    command = part.partition("    dstamp hunt")[2].partition("\n\nprints")[0].replace("\\\n", " ")
    racy, cured = re.findall(r"prints\n\n```text\n(.*?)```", part, re.DOTALL)
    code, out, _ = dstamp("hunt", *shlex.split(command), "--budget", 3600)
    assert (code, out.partition("wrote ")[0].rstrip()) == (1, racy.rstrip())
    subprocess.run(["patch", "-s", "-p1", "-i", "out/cure-1.patch"], check=True)
    code, out, _ = dstamp("hunt", *shlex.split(command), "--budget", 3600)
    assert (code, out.rstrip()) == (0, cured.rstrip())


def test_every_option_of_the_page_is_one_of_its_commands(dstamp):
    told = "".join(dstamp(command, "--help")[1] for command in ("hunt", "show", "export"))
    options = set(re.findall(r"(?<!\S|\w)--[a-z][a-z-]+", PAGE.replace("`", " ")))
    assert options
    assert [option for option in sorted(options) if option not in told] == []
