"""Mechanisms judged by several processes: the same rows as by one."""

from dataclasses import replace
from math import inf

from dstamp_sim.incident.judge_mechanisms import case_of
from dstamp_sim.incident.loaded import load_incident
from dstamp_sim.incident.possible.case import Case, Observation, Possible
from dstamp_sim.incident.possible.judge_variant import JudgementTask
from dstamp_sim.incident.possible.overlap import ObservedTime, orders
from dstamp_sim.inputs.model_file import load_model

RED = (("level", 1), ("stamp", "eb96de94+U"), ("upgrade", "fail"))


def task(*mechanisms):
    """Two red runs ten hours apart, and these mechanisms of the incident's model."""
    model = load_model("cc_ci")
    times_s = {"a": 0.0, "b": 36_000.0}
    times = [ObservedTime(name, at_s, "start", None, False, "table") for name, at_s in times_s.items()]
    case = Case([Observation(name, RED, {"pr": 1}) for name in "ab"], (), orders(times, 7200), orders(times, inf))
    return JudgementTask(replace(model, mechanisms={name: model.mechanisms[name] for name in mechanisms}), case)


def plain(row):
    """A row as values that can be compared."""
    founds = [
        found
        and {
            **{name: value for name, value in vars(found).items() if name not in ("system", "trace")},
            "schedule": str(found.trace.schedule),
            "results": found.trace.results,
            "processes": [process.name for process in found.system.processes],
        }
        for found in (row.timed, row.untimed)
    ]
    return {**vars(row), "timed": founds[0], "untimed": founds[1]}


def test_the_rows_do_not_depend_on_the_number_of_processes():
    asked = task("stack-race", "swarm-rollback", "short-sha")
    one, two = ([plain(row) for row in asked.rows(workers)] for workers in (1, 2))
    assert one == two
    assert {row["verdict"].value for row in one} == {"possible", "impossible"}
    partners = [row["timed"]["candidate"].partners for row in one if row["timed"]]
    assert any(partners)  # what was found with partners is made again in this process


def test_the_half_done_checkout_of_the_incident_is_decided():
    """A closure over histories was not complete within its bounds here, and left every question open."""
    incident = load_incident(None)
    case = case_of(incident.evidence, incident.model.hypotheses, incident.scenario.priors.longest_run_s)
    asked = JudgementTask(incident.model, case)
    pinned = next(one for one in asked.variants_of("torn-checkout") if "pinned" in one.reading.values())
    row = asked.row(pinned)
    assert row.verdict is Possible.POSSIBLE
    assert [(found.unseen, found.exact) for found in (row.timed, row.untimed)] == [(2, True), (1, True)]


def test_which_pairs_are_excluded_does_not_depend_on_the_number_of_processes():
    asked = task("stack-race", "swarm-rollback", "short-sha")
    one, two = (asked.excluded_pairs(["a"], workers) for workers in (1, 2))
    assert one == two
    assert set(one) == {True, False}
