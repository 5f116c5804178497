"""Every kind of hostile input that was found ends with a sentence, the right code, and nothing lost."""

import os
import re
from pathlib import Path

import pytest

from tests.hostile.model_rows import models
from tests.hostile.rows import hunts, numbers, outputs, toml_files, witnesses

ROWS = [*witnesses(), *toml_files(), *models(), *numbers(), *outputs(), *hunts()]


def files():
    """Every file: its kind, mode and link, and its content."""
    there = (path for path in Path().rglob("*") if path.is_file())
    return {path: ((path.lstat().st_mode, os.path.realpath(path)), path.read_bytes()) for path in there}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"[^ -~]", "_", row.name))
def test_a_hostile_input_ends_with_a_sentence(dstamp, row):
    row.lay_out(Path())
    before = files()
    code, out, err = dstamp(*row.words)
    told = " ".join(err.replace("│", " ").split())
    assert code in row.codes, (code, out, told)
    assert "Traceback" not in err and "fault of dstamp" not in err
    assert "\x1b" not in err + out
    assert len(err) < 4_000
    for text in row.told:
        assert re.search(text, told), told
    assert code != 2 or told, "a refusal says why"
    assert code not in (0, 1, 3) or out, "the code of a verdict, and no verdict"
    after = files()
    for path, (what, content) in before.items():
        assert after[path][0] == what, f"{path} has another mode, or is no link any more"
        assert (after[path][1] == content) != (str(path) in row.changes), f"{path} was lost, or is as it was"
    assert code != 2 or after == before, "a refusal comes before the first file is touched"
    assert not list(Path().rglob("*.part"))
