"""Bad input: a clear error with the value, the rule, the place and the remedy; exit code 2; nothing written."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from dstamp_sim.engines.explore.explorer import WORTH_OF_ENDLESS
from tests.patience import PATIENCE_S

HEAD = "from dstamp_sim import *\nr = Register('r', 0)\n"
TAIL = "\ndef build() -> System:\n    return System(objects=[r], processes=[Process('p', p)])\n"
SCENARIO = Path(__file__).parents[2] / "experiments" / "incident" / "scenario.toml"


def refused(result, *texts):
    code, out, err = result
    joined = " ".join(err.split())
    assert code == 2, (code, out, err)
    assert "Traceback" not in err
    for text in texts:
        assert re.search(text, joined), joined
    assert not any(path.suffix in (".png", ".svg", ".json") for path in Path().rglob("*"))


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["cc_ci", "--set", "rusn=3"], ["unknown parameter 'rusn'; did you mean 'runs'"]),
        (
            ["cc_ci", "--set", "runs=three"],
            [r"parameter 'runs': it must be a whole number \(given: 'three'\); it is declared a number or any"],
        ),
        (
            ["cc_ci", "--set", "checkout=shred"],
            [r"parameter 'checkout': it must be 'shared' or 'per_run' \(given: 'shred'\)"],
        ),
        (["cc_ci", "--set", "runs"], ["--set runs: write name=value"]),
        (["cc_ci", "--placement", "deploy_ap"], ["unknown placement 'deploy_ap'; did you mean 'deploy_app'"]),
        (["cc_ci", "--placement", "app-domian:deploy_app"], ["unknown lock 'app-domian'; did you mean 'app-domain'"]),
        (["cc_ci", "--placement", "host:deploy_ap..exit"], ["unknown section 'deploy_ap'; did you mean 'deploy_app'"]),
        (["cc_ci", "--placement", "host:check_hc1..deploy_app"], ["ends before it begins"]),
        (
            ["cc_ci", "--placement", "host:deploy_app..check_hc1,host:check_hc1..exit"],
            ["host:deploy_app..check_hc1 and host:check_hc1..exit overlap"],
        ),
        (["cc_ci", "--mechanism", "stack-rase"], ["unknown factory 'stack_rase'; did you mean 'stack_race'"]),
        (["cc_ci", "--property", "HC2"], ["unknown property 'HC2'"]),
        (["classic/bnak"], ["no model at 'classic/bnak'; did you mean 'classic/bank"]),
        (["classic/bank", "--crashes", "-1"], ["crashes"]),
        (["classic/bank", "--limit", "0"], ["limit"]),
        (["classic/bank", "--nonsense"], ["nonsense"]),
    ],
)
def test_what_the_user_mistyped_is_named_with_what_was_meant(dstamp, words, texts):
    refused(dstamp("explore", *words), *texts)


AGAINST = r"placement 'stack_per_run' sets stack=per_run, and stack=shared is set beside it: leave out one of the two"


@pytest.mark.parametrize("verb", ["explore", "prove", "sample"])
def test_a_setting_against_the_placements_own_is_refused(dstamp, verb):
    refused(dstamp(verb, "cc_ci", "--placement", "stack_per_run", "--set", "stack=shared"), AGAINST)


def test_a_review_with_a_setting_against_a_designs_own_is_refused_before_anything_is_judged(dstamp, monkeypatch):
    monkeypatch.setattr("dstamp_sim.lock_review.review.judged_all", None)
    refused(dstamp("review", "cc_ci", "--set", "stack=shared", "--spans", "1", "--locks", "host"), AGAINST)


def test_a_scenario_that_sets_otherwise_than_its_placement_is_refused(dstamp, tmp_path):
    text = SCENARIO.read_text().replace("runs = 4", 'runs = 4\nstack = "shared"')
    scenario = tmp_path / "shared.toml"
    scenario.write_text(re.sub(r"(?m)^evidence = .*$", "", text))
    refused(dstamp("replay", str(scenario), "--placement", "stack_per_run"), AGAINST)


def test_the_same_setting_twice_is_no_contradiction(dstamp):
    words = ("cc_ci", "--placement", "stack_per_run", "--set", "stack=per_run")
    assert dstamp("explore", *words)[0] == 0


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("import nonsense_module\n", [r"model.py:1: importing the model raised ModuleNotFoundError"]),
        ("def broken(:\n", [r"model.py:1: not Python"]),
        ("x = 1\n", [r"model.py: unknown factory 'build'"]),
        ("def build():\n    return 1 / 0\n", [r"model.py:2: the factory raised ZeroDivisionError"]),
        ("def build():\n    return 7\n", [r"the factory returned 7, not a System"]),
        (
            HEAD + "def p():\n    yield 'lock'\n" + TAIL,
            [r"model.py:4: yielded 'lock': a process yields an Op; did you"],
        ),
        (
            HEAD + "other = Register('other', 0)\ndef p():\n    yield other.read()\n" + TAIL,
            [r"model.py:5: other.read\(\) touches 'other', which .* does not declare"],
        ),
        (HEAD + "def p():\n    yield r.write([])\n" + TAIL, [r"model.py:4: write was given .* not hashable"]),
        (HEAD + "def p():\n    yield r.read()\n    return []\n" + TAIL, [r"model.py:4: returned \[\].*not hashable"]),
        (HEAD + "def p():\n    yield r.read()\n    1 / 0\n" + TAIL, [r"model.py:5: the program raised ZeroDivision"]),
        (HEAD + "def p():\n    return 1\n" + TAIL, [r"model.py:3: a program is a generator function"]),
    ],
)
def test_a_model_that_breaks_a_rule_is_named_by_file_and_line(dstamp, source, texts):
    Path("model.py").write_text(source)
    refused(dstamp("explore", "model.py"), *texts)


def test_a_loop_that_counts_is_undetermined_and_named_by_its_line_and_its_variable(dstamp):
    Path("model.py").write_text(
        HEAD + "def p():\n    n = 0\n    while True:\n        n = 1 + (n + (yield r.read()))\n" + TAIL
    )
    code, out, _ = dstamp("explore", "model.py", "--ops", "300")
    assert code == 3
    assert re.search(
        r"model.py:6: this line was passed 301 times by one process, and n was new each time .* \(--ops allows more\)",
        " ".join(out.split()),
    )


def test_a_count_of_two_processes_with_many_histories_is_named_after_few_states(dstamp):
    loop = "def p():\n    n = 0\n    while True:\n        n += 1\n"
    loop += "        seen = yield r.read()\n        yield r.write(1 - seen)\n"
    Path("model.py").write_text(HEAD + loop + TAIL.replace("p)", "p, copies=2)"))
    code, out, _ = dstamp("explore", "model.py", "--json")
    coverage = json.loads(out)["coverage"]
    assert code == 3
    assert re.search(r"model.py:\d: this line was passed [\d,]+ times by one process, and n was", coverage["stopped"])
    assert coverage["states"] < 2 * WORTH_OF_ENDLESS


def edited(old, new):
    text = SCENARIO.read_text(encoding="utf-8").replace('evidence = "evidence.toml"\n', "")
    assert old in text
    Path("scenario.toml").write_text(text.replace(old, new))
    return "scenario.toml"


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        ("seed = 20260611", "sede = 20260611", ["scenario.toml: at sede: unknown key 'sede'; did you mean 'seed'"]),
        ("[[starts]]\nname", "[[starts]]\nnmae", ["unknown key 'nmae'; did you mean 'name'"]),
        ("seed = 20260611", "seed = = 1", [r"scenario.toml: not TOML: .*at line \d+, column \d+"]),
        ("uniform_s = [10, 60]", "uniform_s = [-10, 60]", [r"at delays.fetch_recipe.uniform_s.0: .*greater than"]),
        ("uniform_s = [10, 60]", "uniform_s = [60, 10]", ["the first figure must be the smaller one"]),
        ("uniform_s = [10, 60]", "constant = 5", ["unknown key 'constant'; did you mean 'constant_s'"]),
        ("teardown = {", "teardwon = {", ["unknown delay 'teardown'; did you mean 'teardwon'"]),
        ("runs = 4", "rnus = 4", ["unknown parameter 'rnus'; did you mean 'runs'"]),
        ("runs = 4", "runs = 3", ["the scenario starts 4 processes .* the model has 3"]),
        ('"error" = 0.2', '"error" = 2', ["at probabilities.error: .*less than or equal to 1"]),
        ('mechanism = "stack-race"', 'mechanism = "stack-rase"', ["unknown mechanism 'stack-rase'; did you mean"]),
    ],
)
def test_a_faulty_scenario_is_refused_with_the_place_and_the_remedy(dstamp, old, new, texts):
    refused(dstamp("replay", edited(old, new)), *texts)


def test_a_scenario_that_does_not_exist_is_refused(dstamp):
    refused(dstamp("replay", "nowhere.toml"), "nowhere.toml: cannot be read: No such file")
    refused(dstamp("replay", "dns_automatoin"), "no scenario at 'dns_automatoin'; did you mean 'dns_automation'")


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(dstamp):
    Path("taken").write_text("a file")
    refused(dstamp("replay", "--out", "taken"), "--out taken: cannot be written")
    assert Path("taken").read_text() == "a file"


@pytest.fixture
def witness(dstamp):
    dstamp("explore", "classic/bank", "--out", "saved")
    path = Path("saved/bank-one-withdrawal-at-most.witness.json")
    content = json.loads(path.read_text(encoding="utf-8"))

    def change(**changes):
        path.write_text(json.dumps(content | changes))
        for picture in (*Path("saved").glob("*.png"), *Path("saved").glob("*.svg")):
            picture.unlink()
        code, out, err = dstamp("show", path)
        path.unlink()
        return code, out, err

    return change


def test_a_witness_of_another_model_is_refused_at_the_first_step_that_differs(witness):
    other = {"model": "classic/bank_fixed", "parameters": {}, "placement": None, "names": {}, "crashes": 0}
    refused(witness(origin=other), r"step \d")


def test_a_witness_with_an_edited_schedule_is_refused_at_the_step_that_does_not_fit(witness):
    refused(witness(schedule="customer#1*4"), "step 2 differs: .*; the file was edited")


def test_a_witness_with_an_edited_step_is_refused_at_that_step(witness):
    steps = [{"process": "customer#1", "does": "balance.read() -> 90", "changed": ""}] * 4
    refused(witness(steps=steps), r"step 1 differs: the file says 'balance.read\(\) -> 90', the model does")


def test_a_file_that_is_no_witness_is_refused(dstamp):
    Path("x.txt").write_text("{}")
    refused(dstamp("show", "x.txt"), "x.txt: not a witness: its format is not 'dstamp-witness/1'")
    Path("x.txt").write_text("nonsense")
    refused(dstamp("show", "x.txt"), "x.txt: not JSON")


def _read_all(terminal, wanted, met):
    """All that a program writes to its terminal: unread, it would make the program wait. Sets `met` at `wanted`."""
    written = ""
    with suppress(OSError):  # the program has ended
        while part := os.read(terminal, 4096):
            written += part.decode(errors="replace")
            if wanted in written:
                met.set()
    met.set()
    return written


def test_ctrl_c_in_a_long_exploration_gives_partial_counts_and_exit_3(tmp_path):
    unreduced = ["--no-merge", "--no-por", "--no-symmetry", "--property", "no deadlock"]
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a job in the background ignores it
    )
    program = f"{heard}; from dstamp_command import main; main()"
    command = [sys.executable, "-c", program, "explore", "cc_ci", "--set", "runs=6", *unreduced]
    terminal, errors = pty.openpty()
    environment = dict(os.environ, PYTHONUNBUFFERED="1", TERM="xterm")
    under_way = Event()
    with (
        ThreadPoolExecutor(1) as reader,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=tmp_path, env=environment
        ) as running,
    ):
        os.close(errors)
        try:
            written = reader.submit(_read_all, terminal, "states/s", under_way)
            assert under_way.wait(PATIENCE_S)
            running.send_signal(signal.SIGINT)
            out, _ = running.communicate(timeout=PATIENCE_S)
        finally:
            running.kill()
    err = written.result()
    assert running.returncode == 3, (out, err)
    assert "part of the space (interrupted)" in out
    assert "Traceback" not in err


def test_the_placement_none_is_the_one_that_every_output_writes(dstamp):
    code, out, _ = dstamp("explore", "cc_ci", "--placement", "none", "--property", "no deadlock")
    assert code == 0 and "cc_ci, lock placement none" in out


def test_a_model_beside_the_mistyped_one_is_offered(dstamp):
    Path("bank.py").write_text("")
    refused(dstamp("explore", "bnak.py"), r"no model at 'bnak.py'.*did you mean 'bank.py'")
    Path("bank.py").rename("a6.py")
    _, _, told = dstamp("explore", "bnak.py")
    assert "did you mean 'classic/bank'" in told.replace("\n", " "), "not 'a6.py', for all its '.py'"
    _, _, told = dstamp("explore", "zzz.py")
    assert "did you mean" not in told


def test_a_file_that_is_there_and_is_no_model_is_said_to_be_there(dstamp):
    Path("day.toml").write_text("")
    refused(dstamp("explore", "day.toml"), "day.toml is there, but a model is a .py file, or a folder")


def test_a_name_of_a_hundred_thousand_characters_is_cut(dstamp):
    for words in (
        ["explore", "x" * 100_000],
        ["explore", "y" * 3_000],
        ["explore", "cc_ci", "--property", "z" * 9_000],
    ):
        code, _, err = dstamp(*words)
        assert code == 2 and len(err) < 2_000


@pytest.mark.parametrize("content", [b"x = 1\0", "x = 1".encode("utf-16")])
def test_a_file_that_is_no_text_is_named(dstamp, content):
    Path("model.py").write_bytes(content)
    code, _, err = dstamp("explore", "model.py")
    assert code == 2 and "model.py" in err and "None" not in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sample", "classic/bank", "--budget", "0"], "'--budget': 0 is not from 1 to"),
        (["sample", "classic/bank", "--seed", "few"], "'--seed': 'few' is not a whole number"),
        (["explore", "classic/bank", "--crashes", "9" * 5_000], "'--crashes': 9999"),
    ],
)
def test_an_option_that_does_not_fit_is_refused_with_its_value(dstamp, words, told):
    code, _, err = dstamp(*words)
    assert code == 2 and told in " ".join(err.replace("│", " ").split())


def test_a_property_that_is_named_twice_is_judged_once(dstamp):
    named = ("--property", "one withdrawal at most") * 2
    out = dstamp("explore", "classic/bank", *named)[1]
    assert out.count("one withdrawal at most") == dstamp("explore", "classic/bank", *named[:2])[1].count(named[1])
