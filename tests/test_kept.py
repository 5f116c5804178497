"""A kept witness is never green unless every step of it is performed: what is gone is told, looked for, or refused."""

import json
import re
from pathlib import Path

import pytest

from dstamp_sim import UsageError, WitnessError
from dstamp_sim.pipeline.show import show_witness
from dstamp_sim.testing import Violation, witness_test

MODEL = """
from dstamp_sim import Copies, LockScope, Process, Program, Register, System, at_end, section

balance = Register("balance", 100)


def pay(amount: int) -> Program[bool]:
    seen = yield balance.read()
    if seen < amount:
        return False
    yield balance.write(seen - amount)
    return True


def withdraw(amount: int) -> Program[bool]:
    return (yield from section("pay", pay(amount)))


def build(customers: Copies = 2, amount: int = 60) -> System:
    return System(
        objects=[balance],
        processes=[Process("customer", withdraw, amount, copies=customers)],
        properties=[at_end("one is served", lambda results: sum(r is True for r in results.values()) <= 1)],
        sections=["pay"],
        locks=[LockScope("till")],
    )
"""
FILE = "bank-one-is-served.witness.json"
FIX = ("    yield balance.write(seen - amount)\n    return True", "    return (yield balance.compare_and_set(seen, 0))")
RECORD = "dstamp explore bank.py --property 'one is served' --out kept"


@pytest.fixture(autouse=True)
def kept(dstamp, tmp_path):
    """A witness of the race, and the model that it is of."""
    Path("bank.py").write_text(MODEL, encoding="utf-8")
    assert dstamp("explore", "bank.py", "--out", "kept")[0] == 1


def changed(*pairs):
    """The model with some of its text replaced."""
    text = MODEL
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    Path("bank.py").write_text(text, encoding="utf-8")


def performed():
    """The test of the one kept witness."""
    test = witness_test("kept")
    [[one]] = [mark.args[1] for mark in test.pytestmark]
    test(one)


def fails():
    """The text with which it fails: what it kept happens again."""
    with pytest.raises(Violation) as found:
        performed()
    told = str(found.value)
    assert "at end: one is served fails (again, " in told
    return told


def refused():
    """The text with which it is refused: it is not performed, and what it kept was not found."""
    with pytest.raises(WitnessError) as found:
        performed()
    return str(found.value)


def test_it_fails_while_every_step_of_it_does_what_it_did():
    assert f"again, as kept/{FILE} keeps it" in fails()


def test_a_process_that_is_called_otherwise_hides_nothing():
    changed(('Process("customer"', 'Process("client"'))
    told = fails()
    assert f"kept/{FILE} can no longer be performed: step 1, customer#1: unknown process 'customer#1'" in told
    assert "client#1" in told.partition("\n\n")[2]
    assert f"Record it anew: {RECORD}" in told


def test_an_added_read_hides_nothing():
    changed(("    if seen < amount", "    yield balance.read()\n    if seen < amount"))
    told = fails()
    assert re.search(
        r"can no longer be performed: step \d differs: the file says .* the model does .*bank\.py:\d+\)", told
    )
    assert "again, near what it kept" in told


def test_an_op_that_is_gone_hides_nothing():
    """The read before the write is left out: now each just writes, and both are served at once."""
    changed(("    seen = yield balance.read()\n    if seen < amount:\n        return False\n", "    seen = 100\n"))
    told = fails()
    assert "step 1 differs: the file says 'balance.read() -> 100', the model does 'balance.write(40)'" in told


def test_a_property_that_is_called_otherwise_is_refused_with_the_nearest():
    changed(('"one is served"', '"one is served only"'))
    told = refused()
    assert f"kept/{FILE}: is about 'at end: one is served', which is not a property of its model" in told
    assert "did you mean 'at end: one is served only'" in told
    assert f"Delete {FILE}, or record it anew with `dstamp explore`" in told


def test_a_section_that_is_called_otherwise_changes_no_step():
    changed(('section("pay"', 'section("serve"'), ('sections=["pay"]', 'sections=["serve"]'))
    assert f"again, as kept/{FILE} keeps it" in fails()


def test_a_section_that_the_witnesss_placement_names_and_is_gone_is_refused(dstamp):
    Path(f"kept/{FILE}").unlink()
    changed(("    return True\n", "    return True\n\n\ndef pause() -> Program[None]:\n    yield balance.read()\n"))
    content = recorded_under(dstamp, "till?:pay")
    assert content["origin"]["placement"] == "till?:pay"
    changed(('section("pay"', 'section("serve"'), ('sections=["pay"]', 'sections=["serve"]'))
    assert "its model cannot be built as it was: placement 'till?:pay': unknown section 'pay'" in refused()


def recorded_under(dstamp, placement):
    """The content of a witness of the race under a placement: who is turned away was not served."""
    lenient = MODEL.replace("sum(r is True for r in results.values()) <= 1", "all(r is True for r in results.values())")
    Path("bank.py").write_text(lenient, encoding="utf-8")
    dstamp("explore", "bank.py", "--placement", placement, "--out", "kept")
    return json.loads(Path(f"kept/{FILE}").read_text(encoding="utf-8"))


def test_a_parameter_whose_default_changed_hides_nothing():
    changed(("amount: int = 60", "amount: int = 30"))
    told = fails()
    assert "the file says 'balance.write(40)', the model does 'balance.write(70)'" in told


def test_a_parameter_that_is_gone_is_refused(dstamp):
    Path(f"kept/{FILE}").unlink()
    dstamp("explore", "bank.py", "--set", "amount=60", "--out", "kept")
    changed((", amount: int = 60", ""), ("withdraw, amount,", "withdraw, 60,"))
    told = refused()
    assert f"kept/{FILE}: its model cannot be built as it was: unknown parameter 'amount'" in told


def test_a_fix_is_not_green_until_the_witness_is_retired_and_it_is_said_how():
    changed(
        (
            "    yield balance.write(seen - amount)\n    return True",
            "    return (yield balance.compare_and_set(seen, 0))",
        )
    )
    told = refused()
    assert (
        "differs: the file says 'balance.write(40)', the model does 'balance.compare_and_set(100, 0) -> True'" in told
    )
    assert "at end: one is served: HOLDS now (in all " in told
    assert (
        "Retire it: delete the file, and keep assert_holds(system_of('bank.py'), 'one is served') in its place" in told
    )


def test_a_fix_that_cannot_be_proved_is_said_to_be_undetermined(monkeypatch):
    monkeypatch.setattr("dstamp_sim.pipeline.kept_witness.SEARCHED_STATES", 3)
    changed(
        (
            "    yield balance.write(seen - amount)\n    return True",
            "    return (yield balance.compare_and_set(seen, 0))",
        )
    )
    told = refused()
    assert "at end: one is served: UNDETERMINED now (the limit of 3 states was reached" in told
    assert f"delete the file or record anew: {RECORD}" in told


def test_a_model_that_is_gone_is_refused():
    Path("bank.py").unlink()
    assert f"kept/{FILE}: its model cannot be built as it was: no model at 'bank.py'" in refused()


def test_it_passes_where_every_step_is_performed_and_what_it_showed_is_no_fault_any_more():
    changed(("<= 1)]", "<= 2)]"))
    performed()


def test_a_folder_that_is_not_there_is_no_pass():
    with pytest.raises(UsageError, match=r"'keep'\): no such folder in .*; without witnesses, drop the test"):
        witness_test("keep")


def test_show_says_what_is_gone_and_what_to_do(dstamp):
    changed(("    if seen < amount", "    yield balance.read()\n    if seen < amount"))
    code, _, err = dstamp("show", f"kept/{FILE}")
    told = " ".join(err.split())
    assert code == 2
    assert "can no longer be performed: step" in told
    found = r"at end: one is served: it fails again, near what it kept, by customer\S+ .*\. Record it anew: (.*)"
    assert re.search(found, told)[1] == RECORD


def test_show_refuses_what_is_mended_and_says_how_to_keep_that():
    changed(FIX)
    with pytest.raises(WitnessError) as shown:
        show_witness(Path("kept") / FILE, Path("out"))
    assert str(shown.value) == refused(), "show and pytest say the same"


def test_a_witness_that_must_show_still_is_refused_with_what_was_found_near_it():
    changed(("    if seen < amount", "    yield balance.read()\n    if seen < amount"))
    test = witness_test("kept", fixed=False)
    [[one]] = [mark.args[1] for mark in test.pytestmark]
    with pytest.raises(WitnessError, match=r"it fails again, near what it kept, by .*Record it anew: dstamp explore"):
        test(one)


def test_the_command_that_records_anew_makes_a_witness_that_is_performed(dstamp):
    changed(("    if seen < amount", "    yield balance.read()\n    if seen < amount"))
    dstamp("explore", "bank.py", "--property", "one is served", "--out", "kept")
    assert f"again, as kept/{FILE} keeps it" in fails()
