"""A machine without an optional program passes, and says in one line what it left out; CI fails there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import LIST, missing, packages, told

ROOT = Path(__file__).parents[1]
NEEDS_DOT = "tests/export/test_space_formats.py"


def without_programs(path, *options, **environment):
    """The exit code and the output of the tests that need Graphviz, run with nothing on the path."""
    plain = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_XDIST_WORKER")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", NEEDS_DOT, *options]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=plain | {"PATH": str(path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_without_a_program_its_tests_are_left_out_and_counted_in_one_line(tmp_path, options):
    code, out = without_programs(tmp_path, *options)
    assert code == 0, out
    assert "1 test not run: graphviz missing; `make system-packages` installs it\n" in out
    assert "1 skipped" in out


def test_in_ci_a_missing_program_is_a_failure(tmp_path):
    code, out = without_programs(tmp_path, CI="true")
    assert code == 1, out
    assert "CI must run every test: 1 test not run: graphviz missing" in out


def test_what_was_left_out_is_told_with_its_packages_and_other_reasons():
    assert told([]) == ""
    assert told([["chromium"], ["chromium", "graphviz"], "dockerd needs root"]) == (
        "3 tests not run: chromium, graphviz missing; `make system-packages` installs them; dockerd needs root"
    )


def test_a_program_that_the_list_of_packages_lacks_is_an_error_of_the_test():
    with pytest.raises(KeyError):
        missing(["nonsense"])
    assert missing([]) == []


def test_every_program_of_the_list_has_its_package_and_ci_installs_from_it():
    assert {"chromium", "dot", "spin", "git", "docker", "dockerd", "busybox", "gcc"} <= set(packages())
    assert f"done < <(grep -v '^#' {LIST.name})" in (ROOT / ".ci" / "system-packages").read_text()
    assert ".ci/system-packages" in (ROOT / ".ci" / "run").read_text()
