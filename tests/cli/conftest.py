"""Running the `dstamp` command in this process."""

import sys

import pytest

from dstamp_sim import cli


@pytest.fixture
def dstamp(monkeypatch, capsys, tmp_path):
    """`dstamp(*arguments)` gives (exit code, standard output, standard error); files go to an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["dstamp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    return run
