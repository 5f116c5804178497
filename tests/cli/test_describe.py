"""`dstamp describe`: what a model has, as text that fits a screen and as JSON."""

import json

import dstamp_sim


def test_the_bank_fits_a_screen(dstamp):
    code, out, _ = dstamp("describe", "classic/bank")
    assert code == 0
    assert len(out.splitlines()) <= 24
    assert all(len(line) <= 120 for line in out.splitlines()[1:])
    assert "  customers  a number or any = 2" in out
    assert "  balance  Register; starts as 100" in out
    assert "  never overdrawn         always, reads balance" in out
    assert "  no deadlock             built in" in out


def test_every_kind_of_the_incidents_model_is_listed(dstamp):
    code, out, _ = dstamp("describe", "cc_ci", "--json")
    found = json.loads(out)
    assert code == 0
    kinds = {"parameters", "processes", "objects", "sections", "locks", "placements", "mechanisms", "properties"}
    kinds |= {"evidence", "experiments"}
    assert kinds <= set(found)
    assert {"name": "stages.upgrade", "says": "Literal['pass', 'fail']"} in found["evidence"]
    assert {"name": "recipe", "says": "str, which run it was"} in found["evidence"]
    assert {"name": "deploy_app", "says": "app-domain:deploy_app"} in found["placements"]
    assert {"name": "stack_per_run", "says": "sets stack='per_run'"} in found["placements"]


def test_settings_and_placement_are_those_asked_for(dstamp):
    assert "3 copies" in dstamp("describe", "classic/bank", "--set", "customers=3")[1]
    assert dstamp("describe", "classic/bank", "--set", "clients=3")[0] == 2
    assert dstamp("describe", "classic/bnak")[0] == 2


def test_the_version_is_printed(dstamp):
    assert dstamp("--version")[:2] == (0, f"dstamp {dstamp_sim.__version__}\n")
