"""The committed gallery is what its command writes now."""

import re
from pathlib import Path

import pytest

from experiments.gallery import FOLDER, exhibits, write_gallery
from models.cc_ci import MECHANISMS


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    write_gallery(folder)
    return folder


def test_the_gallery_is_what_its_command_writes(written):
    now, kept = ({file.name for file in folder.iterdir()} for folder in (written, FOLDER))
    assert now == kept
    differing = [name for name in sorted(now) if (written / name).read_bytes() != (FOLDER / name).read_bytes()]
    assert differing == [], "run `make gallery`, look at what changed, and commit it"


def test_every_mechanism_and_every_racy_classic_is_in_it(written):
    names = {exhibit.name for exhibit in exhibits()}
    assert set(MECHANISMS) <= names
    racy = {"bank", "peterson-broken", "lock-file", "philosophers", "two-phase-commit-impatient"}
    fixed = {"bank-fixed", "peterson", "lock-file-fixed", "philosophers-ordered", "two-phase-commit"}
    racy |= {"readers-writers", "spin-lock", "controllers", "condition-variable"}
    fixed |= {"readers-writers-fair", "spin-lock-tickets", "controllers-one-owner", "condition-variable-locked"}
    racy |= {"redis-lock", "job-queue", "connection-pool", "stale-refill"}
    fixed |= {"redis-lock-fenced", "job-queue-idempotent", "connection-pool-fixed", "stale-refill-leased"}
    classics = {file.stem.replace("_", "-") for file in Path("models/classic").glob("*.py")}
    assert racy <= names and classics <= racy | fixed, "a new classic: racy ones belong into experiments/gallery.py"


def test_nothing_of_it_names_the_machine_or_fetches_anything(written):
    for file in written.iterdir():
        text = file.read_text(encoding="utf-8")
        assert str(Path.cwd()) not in text
        assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org"}


def test_a_rollback_needs_no_cycle(written):
    section = (
        (written / "README.md").read_text(encoding="utf-8").partition("## swarm-rollback")[2].partition("\n## ")[0]
    )
    assert "No cycle: a single run suffices" in section
