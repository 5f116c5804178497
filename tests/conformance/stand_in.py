"""A stand-in for `abra app deploy --chaos`, as far as a stamp depends on it; abra itself is not bundled.

    python tests/conformance/stand_in.py TREE STACK [PAUSE_S]

It reads in abra's order (cli/app/deploy.go and pkg/recipe/git.go at 06a57de): HEAD, then whether the tree is dirty,
then the compose file; then it deploys with the labels, by the docker client's `stack deploy`. It is a program of its
own and shares no code with the model: what it stamps on a real service is evidence of what that order of reading does.
PAUSE_S seconds pass before each reading, so that others can get in between.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path


def deploy(tree: Path, stack: str, pause_s: float = 0.0) -> str:
    """Deploys what lies in `tree`; gives the chaos version that it stamped. Raises SystemExit where docker fails."""
    time.sleep(pause_s)
    head = _out("git", "-C", str(tree), "rev-parse", "HEAD")
    time.sleep(pause_s)
    dirty = _out("git", "-C", str(tree), "--no-optional-locks", "status", "--porcelain")
    stamp = head[:8] + ("+U" if dirty else "")
    time.sleep(pause_s)
    compose = (tree / "compose.yml").read_text()
    labels = {f"coop-cloud.{stack}.chaos": "true", f"coop-cloud.{stack}.chaos-version": stamp}
    stamped = json.dumps({"version": "3.8", "services": {"app": {"deploy": {"labels": labels}}}})
    _stack_deploy(tree.parent / f"{stack}-{time.monotonic_ns()}", compose, stamped, stack)
    return stamp


def _stack_deploy(folder: Path, compose: str, stamped: str, stack: str) -> None:
    folder.mkdir()
    for name, content in (("compose.yml", compose), ("labels.yml", stamped)):
        (folder / name).write_text(content)
    files = ["-c", str(folder / "compose.yml"), "-c", str(folder / "labels.yml")]
    done = subprocess.run(
        ["docker", "stack", "deploy", "--resolve-image=never", *files, stack],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip())


def _out(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    given = [*sys.argv[1:], "0"]
    print(deploy(Path(given[0]), given[1], float(given[2])))  # noqa: T201 - its output
