"""Every kind of hostile input that was found ends with a sentence, the right code, and nothing lost."""

import re
from pathlib import Path

import pytest

from tests.hostile.rows import every_row


@pytest.mark.parametrize("row", every_row(), ids=lambda row: re.sub(r"[^ -~]", "_", row.name))
def test_a_hostile_input_ends_with_a_sentence(dstamp, row):
    row.lay_out(Path())
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
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
    assert {path: path.read_bytes() for path in before if path.exists()} == before, "a user's file was lost"
    assert not list(Path().rglob("*.part"))
