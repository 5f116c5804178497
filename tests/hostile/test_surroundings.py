"""Odd surroundings: a full disk, a planted link, no home, six commands at once: the verdict, and a sentence each."""

import json
import os
import py_compile
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dstamp_sim import cli
from dstamp_sim.disk import writing
from dstamp_sim.pipeline import files
from tests.hostile.killed import COMMANDS
from tests.hostile.test_every_command import COMMAND, MODES_HOLD
from tests.hostile.valid import BANK, LOCKED, LOST, MODEL, ROOT

PICTURES = ("bank-no-lost-update.png", "bank-no-lost-update.svg", "bank-no-lost-update.witness.json")


@pytest.fixture
def bank(dstamp):
    Path("bank.py").write_text(MODEL)
    return lambda *words: dstamp("explore", "bank.py", *words)


def full(*_):
    raise OSError(28, "No space left on device")


def test_on_a_full_disk_the_verdict_is_printed_and_each_file_is_a_sentence(bank, monkeypatch):
    monkeypatch.setattr(writing.os, "fsync", full)
    code, out, err = bank()
    assert code == 74
    assert "VIOLATED" in out and "wrote out/" not in out
    for name in PICTURES:
        assert f"out/{name}: cannot be written: No space left on device" in err
    assert [path.name for path in Path("out").iterdir()] == [writing.LEDGER]


def test_what_fits_is_written_and_what_does_not_is_named(bank, monkeypatch):
    sync = os.fsync
    monkeypatch.setattr(writing.os, "fsync", lambda file: full() if os.fstat(file).st_size > 30_000 else sync(file))
    code, out, err = bank()
    assert code == 74
    assert "wrote out/bank-no-lost-update.witness.json" in out
    assert "bank-no-lost-update.png: cannot be written: No space left" in err


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_file_system_of_64_kilobytes_that_fills_leaves_no_half_file(bank):
    Path("small").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "small"], check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        code, out, err = bank("--out", "small")
        assert code == 74 and "VIOLATED" in out, (code, out, err)
        assert "small/bank-no-lost-update.png: cannot be written: No space left on device" in err
        assert not list(Path("small").glob("*.png")) and not list(Path("small").glob(".*.part"))
        assert (
            json.loads(Path("small/bank-no-lost-update.witness.json").read_text())["about"] == "at end: no lost update"
        )
    finally:
        subprocess.run(["umount", "small"], check=True)


def test_a_document_names_the_verdict_before_any_file_is_touched(bank, monkeypatch):
    monkeypatch.setattr(writing.os, "fsync", full)
    code, out, _ = bank("--json")
    assert code == 74 and json.loads(out)["verdict"] == "VIOLATED"


def test_results_are_written_over_by_their_own_command_and_a_users_file_only_by_force(bank):
    assert bank()[0] == 1
    assert bank()[0] == 1
    Path("out", PICTURES[1]).write_text("mine")
    code, out, err = bank()
    assert code == 74 and "VIOLATED" in out and "give --force" in err
    assert Path("out", PICTURES[1]).read_text() == "mine"
    assert bank("--force")[0] == 1
    assert Path("out", PICTURES[1]).read_text() != "mine"


def test_what_was_planted_is_not_written_through(bank):
    Path("victim").write_text("mine")
    Path("out").mkdir()
    for name in (*PICTURES, f"{PICTURES[0]}.part", ".dstamp-writable"):
        Path("out", name).symlink_to("../victim")
    assert bank()[0] == 74
    assert Path("victim").read_text() == "mine"
    assert Path("out/.dstamp-writable").is_symlink()


def test_two_properties_whose_names_look_alike_have_files_of_their_own(dstamp):
    same = "always({!r}, lambda s: s[r] < {}, reads=[r])"
    names = ["r > 0", "r < 0", "R   0", "states", "x" * 90 + "a", "x" * 90 + "b", "\U00010400" * 90]
    properties = ", ".join(same.format(name, 1) for name in names)
    Path("bank.py").write_text(MODEL.replace('at_end("no lost update"', f'{properties}, at_end("no lost update"'))
    assert dstamp("explore", "bank.py", "--keep-going", "--html")[0] == 1
    witnesses = list(Path("out").glob("*.witness.json"))
    assert sorted(json.loads(file.read_text())["about"] for file in witnesses) == sorted(
        [*(f"always: {name}" for name in names), "at end: no lost update"]
    )
    assert len(list(Path("out").glob("*.html"))) == len(names) + 2


def test_six_commands_in_one_folder_do_not_disturb_each_other(tmp_path):
    (tmp_path / "bank.py").write_text(MODEL)
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    running = [
        subprocess.Popen(
            [*COMMAND, "explore", "bank.py"], cwd=tmp_path, env=environment, stdout=-1, stderr=-1, text=True
        )
        for _ in range(6)
    ]
    ended = [(*one.communicate(timeout=600), one.returncode) for one in running]
    assert [code for _, _, code in ended] == [1] * 6, ended
    assert not any("dstamp:" in err for _, err, _ in ended)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [writing.LEDGER, *PICTURES]


def where_modes_hold(folder, *words):
    done = subprocess.run(
        [sys.executable, "-c", MODES_HOLD, *words],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_a_read_only_folder_is_refused_before_any_work(tmp_path):
    (tmp_path / "bank.py").write_text(MODEL)
    tmp_path.chmod(0o555)
    code, out, err = where_modes_hold(tmp_path, "explore", "bank.py")
    tmp_path.chmod(0o755)
    assert (code, out) == (2, "") and "--out out: cannot be written: Permission denied" in err, err
    assert [path.name for path in tmp_path.iterdir()] == ["bank.py"]


def test_a_read_only_result_is_kept_and_the_verdict_is_printed(tmp_path):
    (tmp_path / "bank.py").write_text(MODEL)
    picture = tmp_path / "out" / PICTURES[0]
    picture.parent.mkdir()
    picture.write_text("mine")
    picture.chmod(0o444)
    code, out, err = where_modes_hold(tmp_path, "explore", "bank.py")
    assert code == 74 and "VIOLATED" in out
    assert f"out/{PICTURES[0]}: cannot be written: it is there, and read-only" in err, err
    assert picture.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bank.py", ("explore", "bank.py")),
        ("w.json", ("show", "w.json")),
        ("s.toml", ("replay", "s.toml")),
        ("runs/a/results.json", ("ingest", "runs", "--model", "bank.py", "--into", "e.toml")),
    ],
)
def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path, name, words):
    text = (BANK / "overdraft.py").read_text() if words[0] == "ingest" else MODEL
    (tmp_path / "runs/a").mkdir(parents=True)
    for each in ("w.json", "s.toml", "runs/a/results.json"):
        (tmp_path / each).write_text("{}")
    (tmp_path / "bank.py").write_text(text)
    (tmp_path / name).chmod(0)
    code, out, err = where_modes_hold(tmp_path, *words)
    told = " ".join(err.replace("│", " ").split())
    assert (code, out) == (2, "") and re.search(f"{name}(: cannot be read: Permission denied|' is not readable)", told)


def test_a_model_below_a_locked_folder_is_a_sentence(tmp_path):
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked/bank.py").write_text(MODEL)
    (tmp_path / "locked").chmod(0)
    code, out, err = where_modes_hold(tmp_path, "explore", "locked/bank.py")
    (tmp_path / "locked").chmod(0o755)
    assert (code, out) == (2, "") and "locked/bank.py: Permission denied" in err, err


def with_little_memory(folder, megabytes, *words, command=COMMAND):
    """A command that may use so many megabytes: its code, what it printed, and its errors."""
    most = (megabytes << 20, megabytes << 20)
    done = subprocess.run(
        [*command, *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, most),
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("megabytes", [60, 100, 200, 400])
def test_too_little_memory_to_load_is_a_sentence_at_once(tmp_path, megabytes):
    (tmp_path / "bank.py").write_text(MODEL)
    code, out, err = with_little_memory(tmp_path, megabytes, "explore", "bank.py")
    assert (code, out) == (2, ""), err
    assert f"too little memory: `ulimit -v` allows {megabytes} MB, and dstamp takes" in err


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_library_that_aborts_for_lack_of_memory_leaves_the_verdict_undetermined(tmp_path, options):
    (tmp_path / "bank.py").write_text("import faulthandler\nfaulthandler._sigabrt()\n" + MODEL)  # as LLVM does
    code, out, err = with_little_memory(tmp_path, 2_000, "explore", "bank.py", *options)
    assert (code, json.loads(out)["verdict"] if options else out.strip()) == (3, "UNDETERMINED"), err
    assert err == "dstamp: memory ran out, before anything was decided: UNDETERMINED\n"


def test_the_counts_of_what_was_done_are_told_where_a_library_aborts(tmp_path):
    aborts = "def p():\n    if told := counts_so_far():\n        faulthandler._sigabrt()\n"
    text = "import faulthandler\nfrom dstamp_sim.cli.progress import counts_so_far\n" + MODEL
    (tmp_path / "bank.py").write_text(text.replace("def p():\n", aborts))
    code, out, err = with_little_memory(tmp_path, 2_000, "sample", "bank.py", "--budget", "50")
    assert (code, out) == (3, "UNDETERMINED\n"), err
    assert re.search(r"memory ran out after \d+ of 50 schedules, before anything was decided: UNDETERMINED", err), err


def test_an_abort_as_files_are_written_takes_nothing_from_the_verdict(tmp_path):
    (tmp_path / "bank.py").write_text(MODEL)
    as_it_writes = (
        "import faulthandler; from dstamp_sim.pipeline import files; files.png = lambda *_: faulthandler._sigabrt(); "
    )
    command = [*COMMAND[:-1], as_it_writes + COMMAND[-1]]
    code, out, err = with_little_memory(tmp_path, 2_000, "explore", "bank.py", command=command)
    assert code == 74 and "\nVIOLATED\n" in out and "\nUNDETERMINED\n" not in out, (code, out, err)
    assert err == "dstamp: memory ran out as files were written\n"


def test_an_abort_without_a_limit_is_told_with_the_models_line(tmp_path):
    (tmp_path / "bank.py").write_text("import faulthandler\nfaulthandler._sigabrt()\n" + MODEL)
    done = subprocess.run(
        [*COMMAND, "explore", "bank.py"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert "bank.py:2: code in C crashed (SIGABRT): no verdict" in done.stderr


CRASHES_IN_A_WORKER = LOCKED.replace(
    "    n = yield", "    if multiprocessing.parent_process():\n        faulthandler._sigsegv()\n    n = yield"
)


@pytest.mark.parametrize("words", [("review", "--set", "n=2"), ("explore", "--set", "n=1..2")])
def test_a_crash_in_a_worker_is_told_with_the_models_line_and_is_not_called_killed(tmp_path, words):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor has no workers")
    (tmp_path / "locked.py").write_text("import faulthandler, multiprocessing\n" + CRASHES_IN_A_WORKER)
    done = subprocess.run(
        [*COMMAND, words[0], "locked.py", *words[1:]],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70 and "UNDETERMINED" not in done.stdout, (done.stdout, done.stderr)
    assert "locked.py:6: crashed here, in a worker process\n" in done.stderr, done.stderr
    assert "a worker process crashed (SIGSEGV), in code in C" in done.stderr and "killed" not in done.stderr


@pytest.mark.parametrize(("files", "command"), [(8, "review"), (16, "matrix")])
def test_too_few_files_that_may_be_open_are_a_sentence_with_the_limit(tmp_path, files, command):
    COMMANDS[command].lay_out(tmp_path, 0)
    done = subprocess.run(
        [*COMMAND, *COMMANDS[command].words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stderr.endswith("dstamp: Too many open files; raise their limit (`ulimit -n`)\n"), done.stderr


def assert_told(code, out, err):
    """With whatever memory: a verdict, or the code of none, and a sentence; and nothing of Python's."""
    assert code in (0, 1, 2, 3, 74), (code, out, err)
    assert "Traceback" not in err and "fault of dstamp" not in err, err
    assert code != 3 or ("UNDETERMINED" in out and "memory ran out" in err), (code, out, err)
    assert code != 1 or "VIOLATED" in out, (out, err)
    assert code != 74 or "cannot be written" in err or "as files were written" in err, (code, out, err)
    assert code in (0, 1) or "dstamp: " in err, (code, out, err)


def test_a_product_of_matrices_where_no_memory_is_left_is_no_exit_of_a_verdict(tmp_path):
    (tmp_path / "bank.py").write_text(MODEL)
    as_it_writes = (
        "from dstamp_sim.pipeline import files\n"
        "def png(*_):\n"
        "    from numpy import ones\n"
        "    filled = []\n"
        "    try:\n"
        "        while True:\n"
        "            filled.append(bytearray(1 << 20))\n"
        "    except MemoryError:\n"
        "        ones((2, 2)) @ ones((2, 2))\n"
        "        raise\n"
        "files.png = png\n"
    )
    command = [*COMMAND[:-1], as_it_writes + COMMAND[-1]]
    code, out, err = with_little_memory(tmp_path, 1_000, "explore", "bank.py", command=command)
    assert code == 74 and "\nVIOLATED\n" in out, (code, out, err)
    assert "cannot be written: memory ran out" in err


@pytest.mark.parametrize("command", ["explore", "sample", "judge", "review", "update"])
def test_with_just_enough_memory_to_load_a_command_ends_with_a_verdict_or_says_that_memory_ran_out(tmp_path, command):
    COMMANDS[command].lay_out(tmp_path, 0)
    assert_told(*with_little_memory(tmp_path, 512, *COMMANDS[command].words))


@pytest.mark.slow(minutes=0.5)
@pytest.mark.parametrize("megabytes", [550, 768, 1024, 1536])
@pytest.mark.parametrize("command", ["sample", "judge"])
def test_with_a_little_more_memory_a_command_ends_with_a_verdict_or_says_that_memory_ran_out(
    tmp_path, command, megabytes
):
    COMMANDS[command].lay_out(tmp_path, 0)
    assert_told(*with_little_memory(tmp_path, megabytes, *COMMANDS[command].words))


@pytest.mark.parametrize(
    "error",
    [MemoryError(), ImportError("failed to map segment from shared object"), OSError(12, "Cannot allocate memory")],
)
def test_memory_that_runs_out_while_a_picture_is_made_takes_nothing_from_the_verdict(bank, monkeypatch, error):
    def drawn(*_):
        raise error

    monkeypatch.setattr(files, "png", drawn)
    code, out, err = bank()
    assert code == 74 and "VIOLATED" in out and "UNDETERMINED: " not in out, (code, out)
    assert f"out/{PICTURES[0]}: cannot be written: memory ran out" in err


def test_damaged_bytecode_of_the_package_is_a_sentence_and_no_verdict(tmp_path):
    package = tmp_path / "place"
    package.mkdir()
    for name in ("dstamp_sim", "models", "experiments"):
        shutil.copytree(ROOT / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "dstamp_command.py", package)
    py_compile.compile(str(package / "dstamp_sim/cli/ending.py"))
    (bytecode,) = package.rglob("ending.*.pyc")
    bytecode.write_bytes(bytecode.read_bytes()[:100])
    done = subprocess.run(
        [*COMMAND, "explore", "classic/bank"],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(package)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (70, ""), done.stderr
    assert "the package cannot be loaded: " in done.stderr and "delete its __pycache__ folders" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_witness_says_what_it_runs_and_a_model_elsewhere_is_not_run(dstamp, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "bank.py").write_text("from pathlib import Path\nPath('ran').touch()\n" + MODEL)
    assert dstamp("explore", elsewhere / "bank.py")[0] == 1
    here = tmp_path / "here"
    here.mkdir()
    witness = here / "w.json"
    (tmp_path / "out" / PICTURES[2]).rename(witness)
    (tmp_path / "ran").unlink()
    os.chdir(here)
    for command in (("show",), ("export", "--to", "mermaid"), ("conform",)):
        code, _, err = dstamp(command[0], witness, *command[1:])
        assert code == 2 and str(elsewhere / "bank.py") in err and "--trust" in err, err
    assert not (here / "ran").exists() and not (tmp_path / "ran").exists()
    code, _, err = dstamp("show", witness, "--trust")
    assert code == 0 and f"running {elsewhere / 'bank.py'}" in err


@pytest.mark.parametrize(
    "command", [("replay", "s.toml"), ("update", "evidence.toml", "--scenario", "s.toml", "--observe", "x=y")]
)
def test_a_scenario_says_what_it_runs_and_a_model_elsewhere_is_not_run(dstamp, tmp_path, command):
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    for folder in (elsewhere, here):
        folder.mkdir()
    (elsewhere / "overdraft.py").write_text(
        "from pathlib import Path\nPath('ran').touch()\n" + (BANK / "overdraft.py").read_text()
    )
    (here / "evidence.toml").write_text((BANK / "evidence.toml").read_text())
    text = (BANK / "scenario.toml").read_text()
    (here / "s.toml").write_text(text.replace('"overdraft.py"', '"../elsewhere/overdraft.py"'))
    os.chdir(here)
    code, _, err = dstamp(*command)
    assert code == 2 and "s.toml: at model: " in err and str(elsewhere / "overdraft.py") in err and "--trust" in err
    assert not (here / "ran").exists()
    code, _, err = dstamp(*command, "--trust")
    assert "running ../elsewhere/overdraft.py" in err and (here / "ran").exists()


RUN_NO_MODEL = {"new", "real", "hunt"}


def test_the_help_of_every_command_that_runs_a_model_says_so_and_of_no_other(dstamp):
    for _, command, _ in cli.COMMANDS:
        told = " ".join(dstamp(command.__name__, "--help")[1].split())
        assert ("A model is Python code, and this command runs it" in told) == (command.__name__ not in RUN_NO_MODEL)
    named = re.search(r"Every command but `new`, `real` and `hunt`\s+runs the model", (ROOT / "README.md").read_text())
    assert named and "Its commands are run" in " ".join(dstamp("hunt", "--help")[1].split())


def test_a_model_that_exits_in_its_turn_is_contained_only_while_a_command_runs(dstamp):
    Path("bank.py").write_text(MODEL)
    before = os._exit, sys.exit
    assert dstamp("describe", "bank.py")[0] == 0
    assert (os._exit, sys.exit) == before


def test_a_value_of_ten_megabytes_is_cut_before_it_is_drawn(dstamp):
    small = 'always("small", lambda s: s[r] == 0, reads=[r])'
    Path("long.py").write_text(MODEL.replace("seen + 1", "'x' * 10_000_000").replace(LOST, small))
    assert dstamp("explore", "long.py", "--html")[0] == 1
    sizes = {file.name: file.stat().st_size for file in Path("out").iterdir() if "witness" not in file.name}
    assert len(sizes) > 3 and max(sizes.values()) < 200_000, sizes
