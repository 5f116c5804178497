"""`dstamp export`: a model in another tool's language."""

import json
import re
from pathlib import Path

import pytest


def test_a_model_is_written_in_promela_as_a_person_would_write_it(dstamp):
    code, out, _ = dstamp("export", "classic/bank", "--to", "promela")
    assert code == 0
    assert out.strip() == "wrote out/bank.pml"
    body = Path("out/bank.pml").read_text(encoding="ascii").partition("active ")[2].splitlines()
    assert body[0] == "[2] proctype customer() {"
    assert [line.partition("  /*")[0] for line in body[1:9]] == [
        "    if",
        "    :: balance == 0",
        "    :: d_step { balance == 1 -> ended_with_1++; ended++; one_withdrawal_at_most() }; goto end_3",
        "    fi;",
        "    d_step { balance = 1; ended_with_0++; ended++; one_withdrawal_at_most() };",
        "end_2:",
        "    false;",
        "end_3:",
    ]


def test_options_choose_what_is_written(dstamp):
    words = ("--set", "runs=3", "--placement", "deploy_app_to_check", "--property", "no deadlock", "--crashes", "1")
    code, out, _ = dstamp("export", "cc_ci", "--to", "promela", *words, "--json")
    assert code == 0
    (file,) = json.loads(out)["files"]
    text = Path(file).read_text(encoding="ascii")
    assert "active [3] proctype run_2()" in text
    assert "#define CRASHES 1" in text
    assert "HC1 reads" not in text


def test_delays_and_private_objects_are_statements_on_nothing_shared(dstamp):
    dstamp("export", "cc_ci", "--to", "promela", "--no-merge")
    text = Path("out/cc_ci.pml").read_text(encoding="ascii")
    assert "skip;  /* fetch_recipe: delay fetch_recipe */" in text
    assert "skip;  /* deploy_app/chaos_version: recipe checkout.head() */" in text
    assert "recipe_checkout =" not in text


def test_an_unknown_format_is_answered_with_the_nearest_one(dstamp):
    code, _, err = dstamp("export", "classic/bank", "--to", "promila")
    assert code == 2
    assert "unknown format 'promila'; did you mean 'promela'?" in err
    assert not Path("out").exists()


def test_hostile_names_come_out_as_identifiers_and_comments(dstamp, tmp_path):
    model = tmp_path / "hostile.py"
    model.write_text(
        "from dstamp_sim import *\n"
        "name = '*/ \\\" <script> \\u202e ' + 'x' * 300\n"
        "r, d = Register(name, '*/'), Register('do', 0)\n"
        "def p():\n    yield r.write('\\u2603')\n    yield d.write(1)\n"
        "def build() -> System:\n    return System(objects=[r, d], processes=[Process('run', p), Process('9', p)])\n",
        encoding="utf-8",
    )
    code, _, _ = dstamp("export", model, "--to", "promela")
    text = Path("out/hostile.pml").read_text(encoding="ascii")
    assert code == 0
    assert "byte script_xxx" in text
    assert "byte do_2 = 0;" in text
    assert "active proctype run_2()" in text
    assert "active proctype _9()" in text
    assert text.count("/*") == text.count("*/")


@pytest.mark.parametrize("to", ["perfetto", "itf", "shiviz", "mermaid", "graphml", "dot"])
def test_a_witness_is_written_in_every_format_of_a_trace(dstamp, tmp_path, to):
    dstamp("explore", "classic/bank")
    code, out, _ = dstamp("export", "out/bank-one-withdrawal-at-most.witness.json", "--to", to)
    assert code == 0
    assert (tmp_path / out.split()[-1]).read_bytes()


def test_a_space_is_written_with_its_bad_states_marked(dstamp, tmp_path):
    assert dstamp("export", "classic/bank", "--to", "dot")[0] == 0
    written = (tmp_path / "out" / "bank.dot").read_text(encoding="utf-8")
    assert len(re.findall(r"^  q\d+ \[", written, re.M)) == 11
    assert len(re.findall(r"^  q\d+ -> q\d+ \[", written, re.M)) == 12
    assert written.count("#a40000") == 1


def test_a_format_of_traces_asks_for_a_witness_and_a_witness_takes_no_settings(dstamp):
    code, _, err = dstamp("export", "classic/bank", "--to", "itf")
    assert code == 2 and "name a witness file" in err
    dstamp("explore", "classic/bank")
    witness = "out/bank-one-withdrawal-at-most.witness.json"
    code, _, err = dstamp("export", witness, "--to", "itf", "--set", "customers=3")
    assert code == 2 and "it takes only --to and --out" in err
    code, _, err = dstamp("export", witness, "--to", "shivis")
    assert code == 2 and "did you mean 'shiviz'" in err


def test_a_space_that_is_too_large_is_refused(dstamp):
    code, _, err = dstamp("export", "cc_ci", "--to", "dot", "--set", "runs=3")
    assert code == 2 and "more than 5,000 states" in err


def test_every_format_is_listed_with_what_it_is_of(dstamp):
    code, out, _ = dstamp("export", "--formats")
    assert code == 0
    assert "promela, of a model: SPIN's language, with the properties as assertions\n" in out
    assert "dot, of its whole space: " in out and "mermaid, of a witness: " in out
