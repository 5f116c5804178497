"""The best witness of a mechanism is a run of the cluster that comes out as observed, replays, and can be kept."""

from dataclasses import replace

import pytest

from dstamp_sim.engines.replay import replay
from dstamp_sim.incident.evidence import read_evidence
from dstamp_sim.incident.judge_mechanisms import case_of
from dstamp_sim.incident.likely.cluster import Cluster
from dstamp_sim.incident.likely.likelihood import NEVER
from dstamp_sim.incident.possible.variant import readings
from dstamp_sim.incident.witness.drawn import DrawnMechanism, save_witness
from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.inputs.witness_file import read_witness
from tests.incident.recovery import KNOWN, SCENARIO

MODEL = load_model(SCENARIO.model)
EVIDENCE = read_evidence(SCENARIO.evidence, MODEL.evidence)
CASE = case_of(EVIDENCE, MODEL.hypotheses, SCENARIO.priors.longest_run_s)


def drawn_mechanism(name):
    needs = Cluster(MODEL.hypotheses, CASE, SCENARIO.timing, {}).needs
    return DrawnMechanism(name, MODEL.mechanisms[name], CASE, SCENARIO.timing, needs, MODEL.evidence)


def likely_reading(name):
    known = KNOWN | {"fault": "in some runs only"}
    ways = readings(MODEL.mechanisms[name], MODEL.hypotheses, CASE.constants)
    return next(settings for reading, settings in ways if all(known[q] == answer for q, answer in reading.items()))


def others_than(name, likely):
    ways = readings(MODEL.mechanisms[name], MODEL.hypotheses, CASE.constants)
    return [settings for _, settings in ways if settings != likely]


def drawn(name, runs=30_000):
    others = others_than(name, likely_reading(name))
    cluster = Cluster(MODEL.hypotheses, CASE, SCENARIO.timing, {name: MODEL.mechanisms[name]}, {name: others})
    return drawn_mechanism(name).best(cluster.weighed(replace(SCENARIO.priors, runs=runs)).weighed[name])


@pytest.mark.parametrize("name", ["swarm-rollback", "env-recheckout", "redeploy-not-applied"])
def test_what_one_run_does_alone_has_a_witness_without_partners(name):
    best = drawn(name)
    assert (best.unseen, best.fitted) == (0, None)
    assert all(MODEL.evidence.agrees(best.trace.results[item.name], item.fields) for item in CASE.runs)
    again = replay(best.system, str(best.trace.schedule))
    assert again.results == best.trace.results


def test_the_same_arguments_give_the_same_witness():
    one, other = drawn("redeploy-not-applied").trace, drawn("redeploy-not-applied").trace
    assert (str(one.schedule), one.starts_s) == (str(other.schedule), other.starts_s)
    assert [step.time_s for step in one.steps] == [step.time_s for step in other.steps]


def test_a_witness_is_kept_with_its_timeline_and_read_back(tmp_path):
    best = drawn("env-recheckout")
    file, *pictures = save_witness(best, load_model(SCENARIO.model), SCENARIO.title, SCENARIO.origin, tmp_path)
    kept, _ = read_witness(file, replay)
    assert kept.trace.results == best.trace.results
    assert [step.time_s for step in kept.trace.steps] == [step.time_s for step in best.trace.steps]
    assert {picture.name for picture in pictures} == {"witness-env-recheckout.png", "witness-env-recheckout.svg"}


def test_what_is_impossible_has_none():
    assert drawn_mechanism("overlay-dirt").best(NEVER) is None
