"""Exit codes: 0, 1 and 3 are verdicts and nothing else is; a crash of the tool, a model that exits, Ctrl-C, a pipe."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dstamp_sim import cli
from dstamp_sim.cli.ending import FAULT, INTERRUPTED, UNWRITTEN, USAGE, VERDICTS
from tests.hostile.valid import LOCKED
from tests.patience import PATIENCE_S

COMMAND = [sys.executable, "-c", "from dstamp_command import main; main()"]

MODEL = """\
import sys
from dstamp_sim import *

class Own(SharedObject):
    def outcomes(self, state, op):
        {outcomes}
        return (Outcome(state + 1, state, takes="t" if op.verb == "take" else None),)
    def on_death(self, state, token):
        {on_death}
        return state
    def at_exit(self, token):
        {at_exit}

own = Own("own", 0)

def program():
    {program}
    yield own.op("take")
    yield own.op("look")

def fine(state):
    {prop}
    return True

def build() -> System:
    {factory}
    return System(objects=[own], processes=[Process("p", program, copies=2)], crashes=1,
                  properties=[always("fine", fine, reads=[own])])

def other() -> System:
    {mechanism}
    return build()

{module}
"""
PLACES = ("outcomes", "on_death", "at_exit", "program", "prop", "factory", "mechanism", "module")


def model(place, statement):
    """A model with a statement at one place, and the line on which it stands."""
    text = MODEL.format(**{name: statement if name == place else "pass" for name in PLACES})
    Path("model.py").write_text(text)
    return 1 + next((n for n, line in enumerate(text.splitlines()) if line.strip() == statement), -1)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("sys.exit(0)", r"called sys.exit\(0\)"),
        ("sys.exit(1)", r"called sys.exit\(1\)"),
        ("raise GeneratorExit", "raised GeneratorExit"),
        ("raise type('Odd', (BaseException,), {'__repr__': lambda self: 1 / 0})", "raised Odd"),
    ],
)
@pytest.mark.parametrize("place", PLACES)
def test_a_model_that_exits_or_raises_anything_is_named_by_file_and_line(dstamp, place, statement, told):
    line = model(place, statement)
    words = ["model.py:other"] if place == "mechanism" else ["model.py"]
    code, out, err = dstamp("explore", *words)
    assert (code, out) == (2, ""), err
    assert re.search(rf"model\.py:\d+: .*{told}", err), err
    assert place == "outcomes" or f"model.py:{line}: " in err or place in ("prop", "on_death", "at_exit"), err


def test_a_crash_of_the_tool_ends_with_70_and_says_what_to_report(dstamp, monkeypatch):
    def crash(*given, **options):
        raise KeyError("a fault")

    monkeypatch.setattr("dstamp_sim.pipeline.explore.explore_model", crash)
    code, out, err = dstamp("explore", "classic/bank")
    assert (code, out) == (70, "")
    assert re.search(r"this is a fault of dstamp, and no verdict: KeyError\('a fault'\) at dstamp_sim/cli/\S+:\d+", err)
    assert "please report" in err and "Traceback" not in err
    monkeypatch.setenv("DSTAMP_TRACEBACK", "1")
    assert "Traceback (most recent call last)" in dstamp("explore", "classic/bank")[2]


LACKING = [
    MemoryError(),
    OSError(12, "Cannot allocate memory"),
    RuntimeError("can't start new thread"),
    ImportError("libx.so: failed to map segment from shared object"),
]
"""How Python says that memory ran out."""


@pytest.mark.parametrize("error", LACKING, ids=lambda error: type(error).__name__)
def test_memory_that_runs_out_anywhere_is_undetermined(dstamp, monkeypatch, error):
    def grow(*given, **options):
        raise error

    monkeypatch.setattr("dstamp_sim.pipeline.explore.explore_model", grow)
    code, out, err = dstamp("explore", "classic/bank")
    assert (code, out) == (3, "UNDETERMINED\n") and "memory ran out, before anything was decided" in err
    code, out, _ = dstamp("explore", "classic/bank", "--json")
    assert code == 3 and json.loads(out)["verdict"] == "UNDETERMINED"


def test_memory_that_runs_out_while_proving_leaves_the_property_undetermined(dstamp, monkeypatch):
    def grow(controls, wanted, tell):
        tell(7_000, 9_000)
        raise MemoryError

    monkeypatch.setattr("dstamp_sim.engines.prove.unbounded.cover", grow)
    code, out, _ = dstamp("prove", "classic/bank_fixed", "--property", "never overdrawn")
    assert code == 3 and "memory ran out after 7,000 minimal states or more" in " ".join(out.split()), out


def test_memory_that_runs_out_before_a_proof_begins_leaves_all_undetermined(dstamp, monkeypatch):
    def grow(*given, **options):
        raise MemoryError

    monkeypatch.setattr("dstamp_sim.engines.prove.unbounded.close", grow)
    code, out, _ = dstamp("prove", "classic/bank_fixed", "--property", "never overdrawn")
    assert code == 3 and "memory ran out before the shared states were known" in " ".join(out.split()), out


def test_memory_that_runs_out_while_sampling_leaves_the_sample_so_far(dstamp, monkeypatch):
    def grow(sampler, *_):
        sampler.walked = 7
        raise MemoryError

    monkeypatch.setattr("dstamp_sim.engines.sampling.sampler._Sampler._walk", grow)
    code, out, _ = dstamp("sample", "classic/bank_fixed")
    assert code == 3 and "UNDETERMINED" in out and "memory ran out after 7 schedules" in out, out


@pytest.mark.parametrize(
    ("words", "where", "counts"),
    [
        (["review", "locked.py"], "dstamp_sim.lock_review.review.review_model", "3 of 50 placements judged"),
        (["replay"], "dstamp_sim.incident.incident.judge_incident", "3 of 50 steps of the judgement done"),
    ],
)
def test_memory_that_runs_out_while_judging_leaves_the_counts(dstamp, monkeypatch, words, where, counts):
    def grow(*given, progress=None, tell=None, **options):
        (progress or tell)(3, 50)
        raise MemoryError

    Path("locked.py").write_text(LOCKED)
    monkeypatch.setattr(where, grow)
    code, out, err = dstamp(*words)
    assert code == 3 and out.startswith("UNDETERMINED") and f"memory ran out after {counts}" in err, err


def test_memory_that_runs_out_while_exploring_leaves_the_counts_and_undetermined(tmp_path):
    unreduced = "--no-por --no-merge --no-symmetry --property 'no deadlock'"
    code, out, err = shell(f"ulimit -v 800000; dstamp explore cc_ci --set runs=6 {unreduced}", tmp_path)
    assert code == 3 and "Traceback" not in err
    found = re.search(r"([\d,]+) states, .*: part of the space \(memory ran out as the states took [\d,]+ MB\)", out)
    assert found is not None and int(found[1].replace(",", "")) > 1_000_000, out


def test_what_a_model_prints_is_no_result(dstamp):
    model("program", "print('chatter'); sys.stdout.close()")
    code, out, err = dstamp("explore", "model.py", "--json")
    assert code == 0
    assert json.loads(out)["verdict"] == "HOLDS"
    assert "chatter" in err


WRITES = "import os; os.write(1, b'by itself')"


@pytest.mark.parametrize("streams", ["", "2>&-", ">&2", "2> err", ">&-", "> /dev/full"])
def test_what_a_model_writes_to_the_descriptor_by_itself_is_no_result(tmp_path, streams):
    source = (Path(__file__).parents[2] / "models/classic/bank_fixed.py").read_text(encoding="utf-8")
    (tmp_path / "model.py").write_text(f"{source}\n{WRITES}", encoding="utf-8")
    code, out, err = shell(f"dstamp explore model.py --json {streams}", tmp_path)
    assert code == (2 if streams == "> /dev/full" else 0)
    if streams in ("", "2>&-", "2> err"):
        assert json.loads(out)["verdict"] == "HOLDS", "standard output has the document and nothing else"
    if streams == "":
        assert "by itself" in err
    if streams == "> /dev/full":
        assert "standard output: cannot be written" in err


def shell(line, folder):
    """The exit code of the command, in a pipe or with its streams turned elsewhere, and what it said on errors."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        ["bash", "-c", f'dstamp() {{ {shlex.join(COMMAND)} "$@"; }}; {line}'],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=root),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "code"), [("explore classic/bank_fixed", 0), ("explore classic/bank", 1), ("explore classic/bnak", 2)]
)
def test_a_reader_that_is_gone_takes_nothing_from_the_exit_code(tmp_path, words, code):
    for pipe in ("2>&1 | true", "| head -1"):
        _, out, err = shell(f"dstamp {words} {pipe}; echo code ${{PIPESTATUS[0]}}", tmp_path)
        assert f"code {code}" in out, (out, err)
        assert "Traceback" not in err and "Broken" not in err


def test_streams_that_are_closed_from_the_start_take_nothing_from_the_exit_code(tmp_path):
    assert shell("dstamp explore classic/bank >&-", tmp_path)[::2] == (1, "")
    assert shell("dstamp explore classic/bnak 2>&-", tmp_path)[0] == 2
    assert shell("dstamp explore classic/bank <&- >&- 2>&-", tmp_path)[0] == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_program_that_is_hunted_has_its_streams_though_the_command_has_none(tmp_path, closed):
    """Another file of the command would take the number of a closed stream, and the programs would inherit that."""
    runs = "--run 'a=n=$(cat f); echo $((n+1)) > f' --run 'b=n=$(cat f); echo $((n+1)) > f'"
    hunt = f"dstamp hunt --setup 'echo 5 > f' {runs} --check '[ $(cat f) = 7 ]' {closed}"
    assert shell(hunt, tmp_path)[0] == 1


def test_a_full_disk_under_the_output_is_a_sentence_and_no_verdict(tmp_path):
    code, _, err = shell("dstamp explore classic/bank_fixed > /dev/full", tmp_path)
    assert (code, err) == (2, "dstamp: standard output: cannot be written: No space left on device\n")


def test_letters_that_the_terminal_does_not_have_are_written_as_escapes(tmp_path):
    code, out, err = shell("PYTHONIOENCODING=ascii PYTHONUTF8=0 dstamp replay --help", tmp_path)
    assert code == 0, err
    assert "Usage" in out


@pytest.mark.parametrize("after_s", [0.15, 0.4, 0.8, 1.2])
def test_ctrl_c_while_modules_load_is_one_word_and_130(tmp_path, after_s):
    hear = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); print('up', flush=True); "
    program = hear + "from dstamp_command import main; main()"
    words = [sys.executable, "-c", program, "review", "cc_ci"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout.readline() == "up\n"
        time.sleep(after_s)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE_S)
    assert (running.returncode, err) == (130, "dstamp: interrupted\n")


def test_ctrl_c_while_the_options_are_read_is_one_word_and_130(tmp_path):
    press = (
        "import typer, dstamp_sim.cli as cli; from dstamp_command import main; "
        "cli.app.registered_callback.callback = lambda: (_ for _ in ()).throw(KeyboardInterrupt); main()"
    )
    words = [sys.executable, "-c", press, "explore", "classic/bank"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "dstamp: interrupted\n")


def test_the_readmes_table_of_exit_codes_and_that_of_the_help_are_complete(dstamp):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| exit code |") :].partition("\n\n")[0]
    listed = [int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(",")]
    ours = [*VERDICTS, USAGE, FAULT, UNWRITTEN, INTERRUPTED]
    of_signals = [128 + number for number in (signal.SIGHUP, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM)]
    assert sorted(listed) == sorted([*ours, *of_signals])
    told = re.search(r"Exit codes: (.*?) as a shell", " ".join(dstamp("--help")[1].replace("│", " ").split()))
    assert told is not None
    assert sorted(int(code) for code in re.findall(r"\b\d+\b", told[1])) == sorted(listed)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL, signal.SIGTERM])
def test_a_signal_that_ends_a_command_is_the_code_that_the_table_says(tmp_path, hangs_up, number):
    line = f"{shlex.join(COMMAND)} explore cc_ci & sleep 0.2; kill -{int(number)} $!; wait $!"
    code, out, _ = shell(line, tmp_path)
    assert (code, out) == (128 + number, "")


def test_a_commands_frame_leaves_room_for_all_that_it_calls():
    piece, frame = 2**19, 8 * cli._run.__code__.co_stacksize
    assert piece // 2 < frame < piece - 2**17  # so CPython maps half a megabyte, and an eighth at least is left
