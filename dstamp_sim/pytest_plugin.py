"""The pytest plugin: `--dstamp-artifacts DIR` keeps what a failing property test showed, and JUnit XML links to it.

pytest loads it wherever the package is installed; it imports the package's parts only when a test has failed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds one option, in a separate group."""
    group = parser.getgroup("dstamp", "dstamp_sim: races in models")
    group.addoption(
        "--dstamp-artifacts",
        metavar="DIR",
        type=Path,
        default=None,
        help="folder for the witness, timeline and text of each violation that a test finds",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Save what a violation showed, name the files in the report, and link them from JUnit XML."""
    report = yield
    folder, violation = item.config.getoption("--dstamp-artifacts"), _violation(call)
    if violation is not None and folder is not None:
        files = [str(file) for file in violation.save(folder, _stem(item.nodeid))]
        links = [("dstamp-artifact", file) for file in files]
        report.sections.append(("dstamp artifacts", "\n".join([*files, violation.without_witness]).rstrip()))
        report.user_properties.extend(links)
        item.user_properties.extend(links)
    return report


def _violation(call: pytest.CallInfo[None]) -> Any:
    """The violation that a test ended with, also inside an exception group; None for any other end."""
    testing = sys.modules.get("dstamp_sim.testing")
    if testing is None or call.excinfo is None or call.when != "call":
        return None
    errors = [call.excinfo.value]
    while errors:
        error = errors.pop()
        if isinstance(error, testing.Violation):
            return error
        errors += getattr(error, "exceptions", ())
    return None


def _stem(nodeid: str) -> str:
    """A file name for a test."""
    return re.sub(r"[^\w.-]+", "-", nodeid).strip("-")[-120:]
