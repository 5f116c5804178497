"""What docs/hunt.md shows is what the command prints."""

import re
import shlex
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "hunt.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_says(dstamp, can_hold):
    command = PAGE.partition("    dstamp hunt")[2].partition("\n\nprints")[0].replace("\\\n", " ")
    code, out, _ = dstamp("hunt", *shlex.split(command))
    assert code == 1
    shown = re.search(r"prints\n\n```text\n(.*?)```", PAGE, re.DOTALL)[1]
    assert out.partition("wrote ")[0].rstrip() == shown.rstrip()


def test_every_option_of_the_page_is_one_of_its_commands(dstamp):
    told = "".join(dstamp(command, "--help")[1] for command in ("hunt", "show", "export"))
    options = set(re.findall(r"(?<!\S|\w)--[a-z][a-z-]+", PAGE.replace("`", " ")))
    assert options
    assert [option for option in sorted(options) if option not in told] == []
