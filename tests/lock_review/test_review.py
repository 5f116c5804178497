"""`dstamp review`: a user's own models, what locks cannot cure, the page, the price, refusals."""

import json
import re
from pathlib import Path

import pytest

from dstamp_sim.lock_review.answer import answer
from dstamp_sim.lock_review.review import review_model
from dstamp_sim.pipeline.where import Where

HERE = Path(__file__).parent
BANK, PHILOSOPHERS = HERE / "bank_with_locks.py", HERE / "philosophers_with_locks.py"

FLEET = """
title = "customers of two banks"
model = "bank"
seed = 1

[arrivals]
over = "banks"
domains = 2
{arrivals}
source = "assumed"

[delays]
think = {{ exponential_s = 60, source = "assumed" }}
"""


def test_a_bank_of_ones_own_needs_the_lock_from_the_look_to_the_payment(alone, dstamp):
    code, out, _ = dstamp("review", BANK, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["recommended"] == ["account:look..pay"]
    broken = {one["placement"]: one["smallest"] for one in found["placements"] if not one["safe"]}
    assert broken == {"none": 2, "account:look": 2, "account:pay": 2, "account:look, account:pay": 2}


def test_the_review_says_why_the_ends_are_where_they_are(alone, dstamp):
    _, out, _ = dstamp("review", BANK, "--full")
    assert "As it is (none): broken by 2 in 6 steps." in out
    assert "look must be inside: otherwise (account:pay) it is broken by 2 in" in out
    assert "pay must be inside: otherwise (account:look) it is broken by 2 in" in out


def test_the_philosophers_deadlocks_are_found_and_the_cycle_is_told(alone, dstamp):
    _, out, _ = dstamp("review", PHILOSOPHERS, "--json")
    found = {one["placement"]: one for one in json.loads(out)["placements"]}
    both = found["left:eat, right:eat"]
    assert (both["verdict"], both["deadlock"], both["safe"]) == ("HOLDS", "VIOLATED", False)
    assert found["table:eat"]["safe"]
    stories = review_model(str(PHILOSOPHERS), out=Path("out")).stories
    assert re.search(r"Each waits for the next: philosopher 0 holds lock of fork 0", stories[-1].sentence)
    assert {"out/placement-map.svg", f"out/story-{len(stories)}.svg"} <= set(json.loads(out)["files"])


@pytest.mark.slow(minutes=1)  # 28 placements with an orchestrator that may fail, each with 1 to 3 runs
def test_of_the_swarms_own_rollback_it_says_that_locks_are_not_the_cure(alone, dstamp):
    options = ["--spans", "1", "--locks", "host", "--scenario", fleetless()]
    code, out, _ = dstamp("review", "cc_ci:swarm_rollback", *options)
    out = " ".join(out.split())
    assert code == 0
    assert "No placement of these locks removes it: no two processes of a story are in sections, so a lock keeps" in out
    assert "Locks are not the cure" in out
    assert "settle (update failed, rolling back)" in out


def test_what_one_process_does_alone_no_lock_removes(alone, dstamp, tmp_path):
    text = BANK.read_text(encoding="utf-8").replace('"paid" if now == seen else', '"" or')
    (tmp_path / "alone.py").write_text(text, encoding="utf-8")
    _, out, _ = dstamp("review", "alone.py")
    assert "No placement of these locks removes it: one process alone fails" in out
    assert "customer" in out


def fleetless() -> Path:
    """A scenario without arrivals: placements have no price."""
    path = Path("starts.toml")
    path.write_text('title = "t"\nmodel = "cc_ci"\nseed = 1\n[[starts]]\nname = "run"\nat = 2026-01-01T00:00:00\n')
    return path


def test_the_page_holds_its_pictures_and_loads_nothing(alone, dstamp):
    dstamp("review", BANK)
    page = Path("out/review.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/svg+xml;base64,') == page.count("<img")
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "no payment is erased" in page
    assert str(HERE) not in page
    text = Path("out/review.md").read_text(encoding="utf-8")
    assert "![" in text
    assert "## Answer" in text


def test_hostile_names_are_escaped(alone, dstamp, tmp_path):
    text = BANK.read_text(encoding="utf-8").replace("no payment is erased", "<script>alert('|`*')</script> ü 🙂")
    (tmp_path / "hostile.py").write_text(text, encoding="utf-8")
    assert dstamp("review", "hostile.py")[0] == 0
    assert "<script>" not in Path("out/review.html").read_text(encoding="utf-8")
    assert "<script>" not in Path("out/review.md").read_text(encoding="utf-8")


def priced_bank(tmp_path: Path) -> Path:
    """The bank with an account per bank, so that arrivals can be of several banks."""
    text = BANK.read_text(encoding="utf-8")
    text = text.replace("import Copies,", "import delay, Copies,").replace(
        "    now = yield", '    yield delay("think")\n    now = yield'
    )
    text = text.replace('balance = Register("balance", 100)', 'balance = Register("balance", 1000000)')
    text = text.replace("customers: Copies = 2)", "customers: Copies = 2, banks: tuple[int, ...] = (1,))")
    text = text.replace(
        '[Process("customer", withdraw, 60, copies=customers)]',
        '[Process(f"customer {bank}", withdraw, 60, copies=customers) for bank in banks]',
    )
    path = tmp_path / "priced.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_waiting_is_priced_from_the_arrivals(tmp_path):
    (tmp_path / "fleet.toml").write_text(FLEET.format(arrivals="per_day = 1000\nruns = 60"), encoding="utf-8")
    model, settings = priced_bank(tmp_path), ["customers=2"]
    found = review_model(str(model), settings=settings, spans=1, out=tmp_path / "out")
    price = {one.shape: one.price for one in found.judged}
    assert price["none"].waited_max_s.mean == 0.0
    assert price["account:look..pay"].waited_p95_s.low > 1.0
    assert 0.3 < price["account:look..pay"].utilisation.mean < 1.0
    again = review_model(str(model), settings=settings, spans=1, out=tmp_path / "out")
    assert again.judged == found.judged


def test_recorded_arrivals_are_priced_too(tmp_path):
    recorded = "recorded = [[0, 10, 20], [5]]"
    (tmp_path / "fleet.toml").write_text(FLEET.format(arrivals=recorded), encoding="utf-8")
    found = review_model(str(priced_bank(tmp_path)), settings=["customers=2"], spans=1, out=tmp_path / "out")
    assert found.judged[0].price.makespan_s.low > 20
    assert found.waiting == ()


@pytest.mark.parametrize(
    ("arrivals", "message"),
    [
        ("per_day = 1000", "per_day needs runs"),
        ("runs = 10", "write either per_day .* or recorded"),
        ("recorded = [[1]]", "1 lists of seconds for 2 domains"),
        ("per_day = 0\nruns = 3", "arrivals.per_day"),
        ("per_hour = 3\nruns = 3", "unknown key 'per_hour'"),
    ],
)
def test_arrivals_that_do_not_fit_are_refused(dstamp, tmp_path, arrivals, message):
    (tmp_path / "fleet.toml").write_text(FLEET.format(arrivals=arrivals), encoding="utf-8")
    code, _, err = dstamp("review", priced_bank(tmp_path), "--set", "customers=2")
    assert code == 2
    assert re.search(message, " ".join(err.split()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classic/bank"], r"classic/bank has no System\(locks="),
        ([BANK, "--locks", "acount"], "unknown lock 'acount'; did you mean 'account'"),
        ([BANK, "--spans", "3"], "spans"),
        ([BANK, "--scenario", "nowhere.toml"], "nowhere.toml: cannot be read"),
        ([BANK, "--set", "customer=3"], "unknown parameter 'customer'"),
    ],
)
def test_what_does_not_fit_is_refused(dstamp, arguments, message):
    code, _, err = dstamp("review", *arguments)
    assert code == 2
    assert re.search(message, " ".join(err.split()))


def test_two_worker_processes_find_the_same(tmp_path):
    one = review_model(str(BANK), out=tmp_path, where=Where(1))
    two = review_model(str(BANK), out=tmp_path, where=Where(2))
    assert one.judged == two.judged
    assert answer(one) == answer(two)


def test_a_scenario_of_arrivals_is_not_replayed(dstamp, tmp_path):
    text = FLEET.format(arrivals="per_day = 9\nruns = 3").replace('"bank"', '"classic/bank"')
    (tmp_path / "fleet.toml").write_text(text, encoding="utf-8")
    code, _, err = dstamp("replay", "fleet.toml")
    assert code == 2
    assert "fleet.toml: has a stream of arrivals" in err


@pytest.mark.slow(minutes=1)  # 32 placements, each proved for any number and priced
def test_of_the_incident_it_recommends_the_lock_from_the_base_deploy_to_the_check(alone, tmp_path):
    found = review_model("cc_ci", spans=1, locks=["app-domain"], out=tmp_path / "out")
    assert found.recommended[0].shape == "app-domain:deploy_app..check_hc1"
    stack_per_run = found.of("stack_per_run")
    assert stack_per_run.safe and stack_per_run.numbers == "any number" and stack_per_run.price.waited_max_s.mean == 0


def test_a_lock_over_both_sections_is_what_a_review_recommends(alone, dstamp):
    code, out, _ = dstamp("review", HERE / "adders.py", "--serial", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["recommended"] == ["lock:look..put"]
    assert {one["placement"] for one in found["placements"] if not one["safe"]} >= {"none", "lock:look", "lock:put"}
