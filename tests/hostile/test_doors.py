"""One way in: every file is read through `disk.reading`, and nothing waits for what is no file."""

import ast
import os
from pathlib import Path

import pytest

from dstamp_sim import always
from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.experiment import Experiment
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.placement import Placement
from dstamp_sim.disk.reading import Unreadable, lies_in, read_json, read_text, read_toml
from dstamp_sim.engines.tables.compiled import Kept
from dstamp_sim.hunt.saved import digests_of
from dstamp_sim.inputs.model_file import load_model, read_settings
from dstamp_sim.lock_review.review import review_model
from dstamp_sim.rendering.as_html import html
from dstamp_sim.rendering.document import Document, Figure
from dstamp_sim.testing import hunt, variants
from tests.hostile.valid import MODEL, ROOT

READERS = {"open", "read_text", "read_bytes", "fdopen", "load", "loads", "fromfile", "mmap", "genfromtxt"}
OTHERWISE = {
    "disk/reading.py": "the door itself",
    "disk/writing.py": "the way out",
    "hunt/trap.py": "/proc of a held process",
    "hunt/quiet.py": "/proc of a held process",
    "hunt/nursery.py": "our own memory files, and the null device",
    "hunt/tree.py": "the files of a start state, written",
    "rendering/page.py": "assets of the package",
    "rendering/timeline/svg.py": "assets of the package",
    "engines/tables/compiled.py": "the package's own sources; what it keeps, it unpickles behind a digest",
    "engines/explore/checkpoint.py": "the folder that it locks; a part's bytes come through the door",
    "cli/ending.py": "the null device",
    "pipeline/luggage.py": "what a cluster that the user named sends and is sent",
    "pipeline/cluster_worker.py": "the same",
    "conformance/workers.py": "messages of our own processes",
    "conformance/keeper.py": "our own engine's log and folder",
    "conformance/real_flock.py": "lock files that are made for it",
    "conformance/real_git.py": "a checkout that is made for it",
}
"""The files of the package that read otherwise, and what."""


def _reads(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            ours = isinstance(called, ast.Name) and name.startswith("read_")
            if name in READERS and not ours:
                yield name


def test_every_file_is_read_through_one_door():
    package = ROOT / "dstamp_sim"
    found = {str(file.relative_to(package)) for file in package.rglob("*.py") if [*_reads(file)]}
    models = {name for name in found if name.startswith(("objects/", "_bundled/"))}  # Flock.open() is an op
    assert found - models == {*OTHERWISE}


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo.png")
    return tmp_path / "fifo.png"


def test_a_page_does_not_wait_for_a_picture_that_is_a_fifo(fifo):
    with pytest.raises(Unreadable, match=r"fifo.png: cannot be read: it is a FIFO"):
        html(Document("x", (Figure(fifo, "x"),)))


def test_compiled_code_does_not_wait_for_a_fifo(tmp_path):
    kept = Kept(tmp_path / "base", ())
    kept.save("key", "data")
    assert kept.load("key") == "data"
    (file,) = tmp_path.iterdir()
    file.unlink()
    os.mkfifo(file)
    assert kept.load("key") is None


def test_programs_of_a_hunt_file_that_never_end_have_no_digest(fifo):
    assert list(digests_of(["/dev/zero", str(fifo), "/bin/sh", "/nowhere"])) == ["/bin/sh"]


def test_a_circle_of_links_lies_nowhere(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert not lies_in(tmp_path / "a", tmp_path)
    with pytest.raises(Unreadable, match="link"):
        read_text(tmp_path / "a", inside=tmp_path)


def test_every_part_of_a_models_folder_is_a_file(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "__init__.py").write_text("from .part import build\n")
    os.mkfifo(model / "part.py")
    with pytest.raises(Unreadable, match=r"part.py: cannot be read: it is a FIFO"):
        load_model(str(model))


def test_a_planted_link_for_the_ledger_is_named_and_not_followed(dstamp):
    Path("bank.py").write_text(MODEL)
    Path("mine").write_text("mine")
    Path("out").mkdir()
    Path("out/.dstamp-results").symlink_to("../mine")
    code, _, err = dstamp("explore", "bank.py")
    assert code == 74 and "out/.dstamp-results: cannot be written: it is a link to ../mine" in err
    assert Path("mine").read_text() == "mine"


def test_a_witness_does_not_run_a_folder_whose_sources_lie_elsewhere(dstamp, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    os.chdir(here)
    for name in ("model", "out"):
        Path(name).mkdir()
    Path("model/__init__.py").write_text(MODEL)
    assert dstamp("explore", "model")[0] == 1
    (witness,) = Path("out").glob("*.witness.json")
    (tmp_path / "evil.py").write_text("open('ran', 'w')\n" + MODEL)
    Path("model/__init__.py").unlink()
    Path("model/__init__.py").symlink_to(tmp_path / "evil.py")
    code, _, err = dstamp("show", witness)
    assert code == 2 and str(tmp_path / "evil.py") in err and "--trust" in err and not Path("ran").exists()


def a_text_for_names():
    """What takes a list of names, given a text."""
    system = load_model("classic/bank").build({})
    yield "properties", lambda: system.properties_named("no deadlock")
    yield "settings", lambda: read_settings(load_model("classic/bank").factory, "customers=3")
    yield "reads", lambda: always("x", bool, reads="balance")
    yield "locks", lambda: review_model("cc_ci", locks="stack", out=Path("out"))
    yield "ignore", lambda: hunt({"a": "true", "b": "true"}, ignore="*.log")
    yield "allow", lambda: hunt({"a": "true", "b": "true"}, check="true", allow="/tmp")
    yield "placements", lambda: variants("classic/bank", placements="none")
    yield "spans", lambda: Placement("x", spans="l:crit")
    yield "log_lines", lambda: Observable(log_lines="(?P<left>x)")
    yield "fields", lambda: Observable(fields="left")
    yield "identity", lambda: Hypotheses(system, Observable(), identity="run")
    yield "faults", lambda: Hypotheses(system, Observable(), faults="failed")
    yield "open", lambda: Mechanism("x", system, None, open="layout")
    for what, given in (
        ("outcomes", "red"),
        ("parts['x']", {"x": "red"}),
        ("words['x']", {"x": "red"}),
        ("starts_s", "12"),
    ):
        yield what, lambda what=what, given=given: Experiment(**FIGURES | {what.partition("[")[0]: given})


FIGURES = {"story": "x", "settings": {}, "starts_s": (0.0,), "outcome": str}


@pytest.mark.parametrize(("what", "call"), [*a_text_for_names()], ids=lambda it: it if isinstance(it, str) else "")
def test_what_takes_a_list_never_takes_a_text(what, call):
    with pytest.raises(ModelError) as told:
        call()
    assert f"{what}='" in str(told.value) and "but it must be a list of " in str(told.value)


BROKEN_TOML = (
    "a=1\na=2",
    'a="\\ud800"', "a b", "[a\n", "[[a]\n", "%=1", "a=1 b=2", "a='''x", 'a="x', "a={x=1", "a=[1", "a='x\ny'",
    'a="\\q"', "[a]\n[a]", "a=1\n[a]", "a={x=1}\n[a.c]", "a=\x01", 'a="\x01"', "a=", "[]", "a=tru", "a={x=1,x=2}",
    'a="\\u12"', "a=" + "[" * 9_000, "a=" + "9" * 5_000, "a = nan", "a = -inf", "a = 10:99:00",
)  # fmt: skip


@pytest.mark.parametrize("text", BROKEN_TOML, ids=lambda text: repr(text[:20]))
def test_what_is_no_toml_is_told_with_its_line_and_a_remedy(tmp_path, text):
    file = tmp_path / "x.toml"
    file.write_text(text)
    with pytest.raises(Unreadable) as told:
        read_toml(file)
    sentence = str(told.value)
    assert "x.toml: " in sentence and ("at line" in sentence or "at a: " in sentence or "at end" in sentence)
    assert ";" in sentence.partition("x.toml: ")[2] or "write a smaller one" in sentence


@pytest.mark.parametrize("text", ['{"a":1', '{"a" 1}', "{a:1}", "[1,]", "1 2", '"x', '"\\q"', '"\x01"', "nul", " "])
def test_what_is_no_json_is_told_with_a_remedy(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(Unreadable, match=r"not JSON.*; (?!.*None)"):
        read_json(file)
