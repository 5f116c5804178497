"""Tests that need a program beside Python say so: `pytest.mark.needs("dot")`. Where it is missing they are left out.

With `CI` set they fail instead. What was left out is counted in one line at the end of a run.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

LIST = Path(__file__).parents[1] / ".ci" / "system-packages.txt"
"""The one list of programs that tests need, with their Debian packages."""

LEFT_OUT = "left out"
"""The user property of a report that says what its test lacked."""


class LeftOut(pytest.skip.Exception):
    """A test cannot run here. It lacks `packages`, which `make system-packages` installs, or what no package brings."""

    def __init__(self, packages: Iterable[str], because: str) -> None:
        self.packages, self.because = list(packages), because
        super().__init__(told([self.lacked]))

    @property
    def lacked(self) -> list[str] | str:
        """The packages, or the reason."""
        return self.packages or self.because


def packages() -> dict[str, str]:
    """The Debian package by the program that it brings."""
    lines = (line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return dict(lines)


def missing(programs: Iterable[str]) -> list[str]:
    """The packages of those `programs` that are not here. Raises KeyError for a program that the list lacks."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    known = packages()
    return list(dict.fromkeys(known[program] for program in programs if shutil.which(program, path=path) is None))


def leave_out(packages: Iterable[str] = (), because: str = "") -> None:
    """Ends a test that cannot run here: it is left out and counted, or fails where `CI` is set."""
    missed = LeftOut(packages, because)
    if os.environ.get("CI"):
        pytest.fail(f"CI must run every test: {missed}", pytrace=False)
    raise missed


def told(left_out: Iterable[list[str] | str]) -> str:
    """The line that counts the tests left out; empty where none was. Each is what it lacked: packages, or a reason."""
    cases = list(left_out)
    if not cases:
        return ""
    lacked = sorted({package for case in cases if not isinstance(case, str) for package in case})
    reasons = sorted({case for case in cases if isinstance(case, str)})
    them = "it" if len(lacked) == 1 else "them"
    parts = [f"{', '.join(lacked)} missing; `make system-packages` installs {them}"] if lacked else []
    count = "1 test" if len(cases) == 1 else f"{len(cases)} tests"
    return f"{count} not run: {'; '.join([*parts, *reasons])}"


def left_out(stats: Mapping[str, list[pytest.TestReport]]) -> list[list[str] | str]:
    """What each test lacked that a run left out, from pytest's statistics."""
    return [value for report in stats.get("skipped", ()) for name, value in report.user_properties if name == LEFT_OUT]
