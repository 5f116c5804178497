"""`dstamp mutate`: which changes of a model its properties notice, which change nothing; each named by its line."""

import ast
import inspect
import json
import linecache
import os
import py_compile
import tempfile
import time
from pathlib import Path

import pytest

from dstamp_sim.core.system import Also
from dstamp_sim.engines.explore.explorer import explore
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.mutation import mutants
from dstamp_sim.mutation.edits import edits_of
from dstamp_sim.mutation.mutants import Fate, Mutant, Mutation, find_mutants
from dstamp_sim.pipeline.subject import load_subject
from tests.lock_review.test_review import HERE

CLASSICS = sorted((Path(__file__).parents[2] / "models" / "classic").glob("*.py"))
MODEL = '''"""Two add to a counter under a lock."""
from dstamp_sim import Mutex, Process, Register, System, at_end

lock, count, log = Mutex("lock"), Register("count", 0), Register("log", "")

def add():
    yield lock.acquire()
    seen = yield count.read()
    yield count.write(seen + 1)
    yield lock.release()
    yield log.write("done")
    yield log.write("done")

def build(asked: bool = True) -> System:
    counted = at_end("both count", lambda _, state: state[count] == 2, reads=[count])
    adders = Process("adder", add, copies=2)
    return System(objects=[lock, count, log], processes=[adders], properties=[counted] if asked else [])
'''


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "adders.py"
    path.write_text(MODEL)
    return path


def found(reference, **given) -> Mutation:
    return find_mutants(load_subject(str(reference), **given))


def named(mutation: Mutation, where: str, change: str) -> Mutant:
    (mutant,) = (one for one in mutation.mutants if one.where.endswith(where) and one.change == change)
    return mutant


def test_each_change_is_named_by_its_line_and_has_its_fate(model):
    mutation = found(model)
    assert [(one.where, one.change, one.fate.name, one.by) for one in mutation.mutants if "ends" not in one.change] == [
        ("adders.py:7", "dropped: yield lock.acquire()", "REFUSED", ()),
        ("adders.py:7", "swapped: yield lock.acquire() and seen = (yield count.read())", "NOTICED", ("both count",)),
        ("adders.py:9", "dropped: yield count.write(seen + 1)", "NOTICED", ("both count",)),
        ("adders.py:9", "swapped: yield count.write(seen + 1) and yield lock.release()", "NOTICED", ("both count",)),
        ("adders.py:10", "dropped: yield lock.release()", "NOTICED", ("no deadlock", "the end stays possible")),
        ("adders.py:10", "swapped: yield lock.release() and yield log.write('done')", "SAME", ()),
        ("adders.py:11", "dropped: yield log.write('done')", "SAME", ()),
        ("adders.py:12", "dropped: yield log.write('done')", "SAME", ()),
    ]
    assert named(mutation, ":7", "ends before: yield lock.acquire()").by == ("both count",)
    assert named(mutation, ":10", "ends before: yield lock.release()").by == ("no deadlock", "the end stays possible")
    assert named(mutation, ":11", "ends before: yield log.write('done')").fate is Fate.OTHER
    assert named(mutation, ":12", "ends before: yield log.write('done')").fate is Fate.SAME


def test_a_refused_mutant_says_why_without_a_line_that_is_in_no_file(model):
    (refused,) = found(model).of(Fate.REFUSED)
    assert str(model) not in refused.why
    assert "release" in refused.why


def test_a_mutant_is_in_no_file_and_whoever_reads_its_lines_reads_the_mutants(dstamp, model, tmp_path, monkeypatch):
    seen = set()

    def placed(system, *given, **more):
        folders.append(sorted(str(path) for path in Path().rglob("*")))
        (program,) = (process.program for process in system.processes)
        seen.add(inspect.getsource(program))
        return explore(system, *given, **more)

    folders = []
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    monkeypatch.setattr(mutants, "explore", placed)
    mutation = found(model)
    assert folders.count(folders[0]) == len(folders) > len(mutation.of(Fate.NOTICED))
    assert len(seen) == len(mutation.mutants) + 1
    assert not any("def add" not in text for text in seen)
    assert linecache.getline(str(model), 8).strip() == "seen = yield count.read()"


def test_ctrl_c_while_a_mutant_is_explored_ends_the_command(model, monkeypatch):
    def pressed(system, **given):
        explored.append(system)
        return explore(system, **given) if len(explored) < 3 else _pressed(system, given)

    def _pressed(system, given):
        monkeypatch.setattr(Space, "expand", _raises)
        return explore(system, **given)

    explored = []
    monkeypatch.setattr(mutants, "explore", pressed)
    with pytest.raises(KeyboardInterrupt):
        found(model)
    assert len(explored) == 3


def _raises(*_):
    raise KeyboardInterrupt


def test_a_part_of_a_folder_is_mutated_where_it_is_imported_late_and_has_bytecode(tmp_path, monkeypatch):
    """The parts' own Python files are found by the import system, which would take bytecode that is there."""
    model = tmp_path / "model"
    (model / "inner").mkdir(parents=True)
    (model / "data.txt").write_text("2")
    (model / "inner/__init__.py").write_text("")
    (model / "inner/adds.py").write_text(
        "def add(count):\n    seen = yield count.read()\n    yield count.write(seen + 1)\n"
    )
    (model / "__init__.py").write_text(
        "from pathlib import Path\nfrom dstamp_sim import Process, Register, System, at_end\n"
        "count = Register('count', 0)\n"
        "def add():\n    from .inner.adds import add\n    yield from add(count)\n"
        "def build() -> System:\n    two = int(Path(__file__).with_name('data.txt').read_text())\n"
        "    counted = at_end('both', lambda _, state: state[count] == 2, reads=[count])\n"
        "    return System(objects=[count], processes=[Process('adder', add, copies=two)], properties=[counted])\n"
    )
    py_compile.compile(str(model / "inner/adds.py"))
    mutation = found(model)
    assert named(mutation, "adds.py:3", "dropped: yield count.write(seen + 1)").fate is Fate.OTHER
    assert named(mutation, "adds.py:2", "ends before: seen = (yield count.read())").fate is Fate.OTHER


def test_a_model_without_a_property_is_told_what_it_does_not_notice(dstamp, model):
    code, out, _ = dstamp("mutate", model, "--set", "asked=false", "--property", "no deadlock")
    assert code == 0
    assert "  no deadlock notices 4" in out
    assert "  adders.py:9  dropped: yield count.write(seen + 1)" in out.partition("not noticed: other outcomes\n")[2]


def test_a_model_whose_properties_notice_nothing_is_told_so(dstamp, tmp_path):
    (tmp_path / "deaf.py").write_text(
        "from dstamp_sim import Process, Register, System, at_end\nr = Register('r', 0)\n"
        "def p():\n    yield r.write(1)\n"
        "def build() -> System:\n    deaf = at_end('deaf', lambda results: True)\n"
        "    return System(objects=[r], processes=[Process('p', p)], properties=[deaf])\n"
    )
    code, out, _ = dstamp("mutate", tmp_path / "deaf.py")
    assert code == 0
    assert out.splitlines()[-1] == "No property notices anything: what it says of this model says nothing about it."
    assert "No property notices anything" not in dstamp("mutate", "classic/bank_fixed")[1]


def test_a_serial_order_notices_what_no_property_does(model):
    lost = "swapped: yield count.write(seen + 1) and yield lock.release()"
    assert named(found(model, settings=["asked=false"]), ":9", lost).fate is Fate.OTHER
    assert named(found(model, settings=["asked=false"], also=Also(serial=True)), ":9", lost).by == (
        "as in a serial order",
    )


def test_spans_of_the_placement_are_shortened_at_both_ends_and_left_out(dstamp):
    mutation = found(HERE / "bank_with_locks.py", placement="account:look..pay", settings=["customers=2"])
    placed = {one.change: one.fate for one in mutation.mutants if one.where == "placement"}
    assert placed == {
        "account:look..pay is account:pay": Fate.NOTICED,
        "account:look..pay is account:look": Fate.NOTICED,
    }
    short = found(HERE / "bank_with_locks.py", placement="account:look", settings=["customers=2"])
    assert [one.change for one in short.mutants if one.where == "placement"] == ["account:look is left out"]


def test_the_same_question_has_the_same_answer_as_json(dstamp, model):
    code, out, _ = dstamp("mutate", model, "--json")
    known = json.loads(out)
    assert code == 0
    assert known == json.loads(dstamp("mutate", model, "--json")[1])
    assert known["noticed_by"]["both count"] == sum("both count" in one["by"] for one in known["mutants"])
    assert {one["fate"] for one in known["mutants"]} <= {fate.value for fate in Fate}


def test_a_limit_leaves_mutants_undecided_and_says_why(model):
    mutation = find_mutants(load_subject(str(model)), limit=5)
    assert mutation.undecided
    assert {one.fate for one in mutation.mutants} <= {Fate.OPEN, Fate.REFUSED}


def test_the_page_quotes_what_the_command_prints(dstamp):
    page = (Path(__file__).parents[2] / "docs" / "mutation.md").read_text(encoding="utf-8")
    assert (
        page.partition("$ dstamp mutate classic/bank_fixed\n")[2].partition("```")[0]
        == dstamp("mutate", "classic/bank_fixed")[1]
    )


@pytest.mark.slow
def test_the_classic_with_the_largest_mutants_takes_less_than_ten_seconds_of_processor():
    before = time.process_time()
    mutation = found("classic/readers_writers_fair")
    assert time.process_time() - before < 10
    assert mutation.of(Fate.NOTICED) and mutation.of(Fate.OPEN)
    assert all("readers_writers_fair" not in one.why for one in mutation.mutants)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["classic/bnak"], "bank"),
        (["classic/bank", "--property", "never overdawn"], "never overdrawn"),
        (["classic/bank", "--limit", "0"], "is not from 1"),
        (["classic/bank", "--set", "customers=any"], "copies=ANY"),
    ],
)
def test_what_it_cannot_ask_is_refused(dstamp, words, says):
    code, _, err = dstamp("mutate", *words)
    assert code == 2
    assert says in " ".join(err.split())


@pytest.mark.parametrize(
    "loop",
    [
        "    while n < 3:\n        if n:\n            yield x\n        n += 1\n    yield y\n",
        "    while n < 3:\n        n += 1\n    yield y\n    yield x\n",
    ],
)
def test_nothing_is_changed_where_a_loop_could_go_round_without_an_op(loop):
    assert not any("while" in edit.source for edit in edits_of("def p(n):\n" + loop))


@pytest.mark.parametrize("file", CLASSICS, ids=lambda file: file.stem)
def test_each_change_of_a_classic_is_another_program_that_is_still_a_generator(file):
    source = file.read_text(encoding="utf-8")
    edits = list(edits_of(source))
    texts = [edit.source for edit in edits]
    assert len({*texts, ast.unparse(ast.parse(source))}) == len(texts) + 1
    generators = {f.name for f in _functions(source) if _yields(f)}
    assert all({f.name for f in _functions(text) if _yields(f)} == generators for text in texts)


def _functions(source):
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]


def _yields(function):
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def test_a_folder_with_a_fifo_is_mutated_and_a_source_that_is_none_is_refused(dstamp, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "__init__.py").write_bytes(next(file for file in CLASSICS if file.name == "bank.py").read_bytes())
    os.mkfifo(model / "pipe")
    code, out, _ = dstamp("mutate", model)
    assert (code, out.splitlines()[1]) == (0, "4 mutants; 3 noticed; 1 not noticed: other outcomes")
    os.mkfifo(model / "other.py")
    code, _, err = dstamp("mutate", model)
    assert code == 2
    assert "other.py: cannot be read: it is a FIFO, not a file" in err
