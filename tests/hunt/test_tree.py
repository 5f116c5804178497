"""A folder by value is planted as it was read."""

import os

import pytest

from dstamp_sim.hunt.tree import Tree, brief_content


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made"
    (made / "d").mkdir(parents=True)
    (made / "d" / "f").write_text("text\n")
    os.utime(made / "d" / "f", ns=(5, 7_000_000_001))
    (made / "d" / "f").chmod(0o640)
    os.link(made / "d" / "f", made / "twin")
    (made / "link").symlink_to("nowhere")
    os.mkfifo(made / "pipe")
    return made


def test_what_was_read_is_planted_with_modes_times_links_and_pipes(folder, tmp_path):
    read = Tree.read(str(folder))
    planted = tmp_path / "planted"
    planted.mkdir()
    read.plant(str(planted))
    assert Tree.read(str(planted)) == read
    assert (planted / "twin").samefile(planted / "d" / "f")
    assert (planted / "d" / "f").stat().st_mtime_ns == 7_000_000_001


def test_the_digest_is_of_names_modes_and_contents_and_not_of_times(folder):
    before = Tree.read(str(folder)).digest()
    os.utime(folder / "d" / "f", ns=(1, 1))
    assert Tree.read(str(folder)).digest() == before
    (folder / "d" / "f").write_text("other")
    assert Tree.read(str(folder)).digest() != before


def test_what_is_to_be_ignored_is_left_out_with_all_below(folder):
    left = Tree.read(str(folder)).without(("d", "pi*"))
    assert list(left.entries) == ["link"]


def test_differences_are_names(folder):
    one = Tree.read(str(folder))
    (folder / "twin").unlink()
    (folder / "new").write_text("x")
    two = Tree.read(str(folder))
    assert one.differences(two) == ["new", "twin"]
    assert (one.shown("new"), two.shown("new")) == ("absent", "x")


def test_a_value_is_shown_whole_where_it_is_short_text():
    assert [brief_content(b""), brief_content(b"5\n"), brief_content(b"\0")[:8]] == ["empty", "5", "1 bytes "]
