"""A matrix and a review on a real scheduler with two real workers, in folders of their own: as by one process."""

import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from dstamp_sim.core.errors import DstampError, ModelError, UsageError
from dstamp_sim.lock_review.review import review_model
from dstamp_sim.lock_review.review_files import write_review
from dstamp_sim.matrix.axes import read_axes
from dstamp_sim.matrix.cells import MatrixSubject
from dstamp_sim.matrix.matrix import find_matrix
from dstamp_sim.pipeline.explore import ExploreOptions
from dstamp_sim.pipeline.luggage import Luggage, come_home, packed_for
from dstamp_sim.pipeline.where import HERE, Where
from tests.hostile.killed import below
from tests.needs import leave_out

LOCKED = Path(__file__).parents[1] / "lock_review" / "bank_with_locks.py"

SLOW = """
from dstamp_sim import Process, Register, System, always

registers = [Register(name, 0) for name in "ab"]


def count(by, rounds):
    for _ in range(rounds):
        for register in registers:
            seen = yield register.read()
            yield register.write((seen * 3 + by) % 100_003)


def build(rounds: int = 2, seed: int = 0) -> System:
    return System(
        objects=registers,
        processes=[Process(f"p{by}", count, by + seed, rounds) for by in (1, 2)],
        properties=[always("small", lambda state: state[registers[0]] >= 0, reads=registers[:1])],
    )
"""


def test_a_model_travels_with_its_files_and_texts_name_those_at_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "model").mkdir()
    (home / "model" / "__init__.py").write_text("from .part import build\n")
    (home / "model" / "part.py").write_text("def build(): pass\n")
    reference = f"{home / 'model'}:build"
    sent = pickle.loads(pickle.dumps(Luggage.packed(reference, tuple, ([reference, "x"],))))
    begun = Luggage(*sent).unpacked(tmp_path / "there", ":build")
    there = tmp_path / "there" / "model"
    assert begun.subject == (f"{there}:build", "x")
    assert (there / "part.py").read_bytes() == (home / "model" / "part.py").read_bytes()
    fine, found = come_home(begun.performed(packed_for(reference, (_named, reference))))
    assert (fine, found) == (True, ["in " + str(home / "model") + ":build:7", 3])
    fine, found = come_home(begun.performed(packed_for(reference, (_raised, reference))))
    assert (fine, type(found), str(found)) == (False, UsageError, f"{home / 'model'}:build is wrong")
    with pytest.raises(DstampError, match="its digest differs"):
        Luggage(*sent)._replace(files=((sent[0][0][0], b"other"),)).unpacked(tmp_path / "again", "")


def _named(_, reference):
    return [f"in {reference}:7", 3]


def _raised(_, reference):
    raise UsageError(f"{reference} is wrong")


@pytest.mark.parametrize("written", ["local:0", "dask://", "dask://host", "host:8786", "local"])
def test_where_else_to_work_is_refused_with_how_to_write_it(dstamp, written):
    code, _, err = dstamp("explore", "classic/bank", "--set", "customers=1,2", "--on", written)
    assert code == 2
    assert f"--on '{written}': write local:4 for processes here, or dask://host:8786 for a cluster" in err


def test_one_setting_has_no_tasks_to_send(dstamp):
    code, _, err = dstamp("explore", "classic/bank", "--on", "local:2")
    assert code == 2
    assert "--on is about many settings: write a matrix, such as --set customers=1..6" in err


def test_without_dask_a_cluster_is_refused_with_what_to_install(dstamp, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, err = dstamp("explore", "classic/bank", "--set", "customers=1,2", "--on", "dask://127.0.0.1:9")
    assert code == 2
    assert "this needs Dask; `pip install 'dstamp-sim[cluster]'`" in err


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler, and its two workers by name; all are processes with folders of their own."""
    if importlib.util.find_spec("distributed") is None:
        leave_out(because="Dask is missing; `pip install 'dstamp-sim[cluster]'`")
    file, processes = tmp_path / "scheduler.json", list[subprocess.Popen]()

    def begin(name, *command):
        (tmp_path / name).mkdir()
        with (tmp_path / name / "log").open("w") as log:
            options = {"stdout": log, "stderr": log, "cwd": tmp_path / name}
            processes.append(subprocess.Popen([sys.executable, "-m", "dask", *command], **options))
        return processes[-1]

    try:
        begin("scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0",
              "--scheduler-file", str(file))  # fmt: skip
        address = json.loads(_soon(lambda: file.exists() and file.read_text()))["address"].removeprefix("tcp://")
        once = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", ".")
        workers = [begin(name, "worker", f"tcp://{address}", *once) for name in ("one", "two")]
        for name in ("one", "two"):
            _soon(lambda name=name: "Registered to" in (tmp_path / name / "log").read_text())
        yield address, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _soon(look):
    until = time.monotonic() + 120
    while not (found := look()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def find(reference, settings, out, where, tell=lambda *_: None):
    subject = MatrixSubject(str(reference), read_axes(str(reference), settings, None), (), None, ExploreOptions())
    return find_matrix(subject, out=out, where=where, tell=tell)


def test_a_matrix_and_a_review_on_a_cluster_are_those_of_one_process_though_a_worker_is_killed(cluster, tmp_path):
    """One cluster for all, as it takes seconds to begin."""
    address, (first, second) = cluster
    told = []
    where = Where(cluster=address, tell=told.append)

    placed = [review_model(str(LOCKED), out=tmp_path / name, where=at) for name, at in (("a", HERE), ("b", where))]
    pages = [write_review(found, tmp_path / name) for found, name in zip(placed, "ab", strict=True)]
    assert placed[0].judged == placed[1].judged
    assert [file.relative_to(tmp_path / "a") for file in pages[0].files] == [
        file.relative_to(tmp_path / "b") for file in pages[1].files
    ]
    for one, two in zip(pages[0].files, pages[1].files, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name
    assert told[0].startswith(f"on dask://{address}; what it does is shown at http://")

    model = tmp_path / "wrong.py"
    model.write_text(SLOW.replace("    return System(", "    assert rounds < 2\n    return System("))
    with pytest.raises(ModelError) as here:
        find(model, ["rounds=1..3"], tmp_path / "c", HERE)
    with pytest.raises(ModelError) as there:
        find(model, ["rounds=1..3"], tmp_path / "d", where)
    assert str(there.value) == str(here.value)

    model.write_text(SLOW)
    alone = find(model, ["rounds=2", "seed=0..7"], tmp_path / "e", HERE)

    def killed(cell, number, _):
        if number == 1:
            first.kill()

    together = find(model, ["rounds=2", "seed=0..7"], tmp_path / "f", where, killed)
    assert first.wait() == -signal.SIGKILL
    assert together.cells == alone.cells
    assert (tmp_path / "f" / "wrong-matrix.cells").exists()

    model.write_text(SLOW.replace("100_003", "1_000_003"))
    with pytest.raises(KeyboardInterrupt):
        _interrupted(lambda: find(model, ["rounds=90,91"], tmp_path / "g", where), second.pid)
    _soon(lambda: not _at_work(second.pid))


def _at_work(pid):
    """The processes of a worker that use the processor."""

    def used(process):
        with suppress(OSError):
            return sum(map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]))
        return 0

    before = {process: used(process) for process in below(pid)}
    time.sleep(0.5)
    return [process for process, ticks in before.items() if used(process) > ticks]


def _interrupted(ask, pid):
    """Presses Ctrl-C as soon as a worker works."""

    def press():
        _soon(lambda: _at_work(pid))
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=press, daemon=True).start()
    try:
        ask()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_cluster_that_cannot_be_used_is_a_sentence_and_2(cluster, dstamp, monkeypatch):
    address, workers = cluster
    asked = ("explore", "classic/bank", "--set", "customers=1,2", "--on")
    monkeypatch.setattr("dstamp_sim.pipeline.on_cluster.made_by", lambda: ("3.99", "another"))
    code, _, err = dstamp(*asked, f"dask://{address}")
    assert (code, "install the same on both" in err, "here it is 3.99" in err) == (2, True, True)
    for worker in workers:
        worker.kill()
        worker.wait()
    _soon(lambda: dstamp(*asked, f"dask://{address}")[2].count("has no workers; start them with `dask worker tcp://"))
    monkeypatch.setattr("dstamp_sim.pipeline.on_cluster._PATIENCE_S", 0.5)
    code, _, err = dstamp(*asked, "dask://127.0.0.1:9")
    assert (code, "no scheduler answers at dask://127.0.0.1:9" in err) == (2, True)
