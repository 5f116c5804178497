"""A folder by value is planted as it was read."""

import os

import pytest

from dstamp_sim.core.errors import UsageError
from dstamp_sim.hunt import tree
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
    read = Tree.read(str(folder), "x")
    planted = tmp_path / "planted"
    planted.mkdir()
    read.plant(str(planted))
    assert Tree.read(str(planted), "x") == read
    assert (planted / "twin").samefile(planted / "d" / "f")
    assert (planted / "d" / "f").stat().st_mtime_ns == 7_000_000_001


def test_the_digest_is_of_names_modes_and_contents_and_not_of_times(folder):
    before = Tree.read(str(folder), "x").digest()
    os.utime(folder / "d" / "f", ns=(1, 1))
    assert Tree.read(str(folder), "x").digest() == before
    (folder / "d" / "f").write_text("other")
    assert Tree.read(str(folder), "x").digest() != before


def test_what_is_to_be_ignored_is_left_out_with_all_below(folder):
    left = Tree.read(str(folder), "x").without(("d", "pi*"))
    assert list(left.entries) == ["link"]


def test_differences_are_names(folder):
    one = Tree.read(str(folder), "x")
    (folder / "twin").unlink()
    (folder / "new").write_text("x")
    two = Tree.read(str(folder), "x")
    assert one.differences(two) == ["new", "twin"]
    assert (one.shown("new"), two.shown("new")) == ("absent", "x")


def test_a_value_is_shown_whole_where_it_is_short_text():
    assert [brief_content(b""), brief_content(b"5\n"), brief_content(b"\0")[:8]] == ["empty", "5", "1 bytes "]


def deep(folder):
    for _ in range(tree.DEEPEST_FOLDER + 1):
        folder /= "d"
    folder.mkdir(parents=True)
    (folder / "f").touch()


def large(folder):
    (folder / "f").touch()
    os.truncate(folder / "f", tree.LARGEST_TREE + 1)  # it takes no room on the disk


def many(folder):
    for number in range(tree.MOST_IN_TREE + 1):
        (folder / str(number)).touch()


@pytest.mark.parametrize(("fill", "limit"), [(deep, "folders 200 deep"), (large, "256 MB"), (many, "50 names")])
def test_a_folder_is_not_read_past_a_limit(tmp_path, monkeypatch, fill, limit):
    monkeypatch.setattr(tree, "MOST_IN_TREE", 50 if fill is many else 1_000)
    fill(tmp_path)
    with pytest.raises(UsageError, match=rf"hunt: --from here holds more than {limit} .*; leave less there"):
        Tree.read(str(tmp_path), "--from here")


@pytest.mark.parametrize(("where", "who"), [("setup", "the setup"), ("run", "a trial")])
def test_what_a_command_leaves_is_not_read_past_a_limit(dstamp, can_hold, where, who):
    leaves = f"truncate -s {tree.LARGEST_TREE + 1} f"
    setup, run = (leaves, "true") if where == "setup" else ("true", leaves)
    words = ("--setup", setup, "--run", f"a={run}", "--run", "b=true", "--check", "true")
    code, out, err = dstamp("hunt", *words)
    assert (code, out) == (2, "") and f"hunt: what {who} left in its folder holds more than 256 MB" in err, err
