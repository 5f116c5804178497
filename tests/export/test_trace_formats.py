"""Every format of a trace against its consumer's published form: the stack race, a timed and a hostile trace."""

import io
import json
import re
import subprocess
from dataclasses import replace

import networkx as nx
import pytest

from dstamp_sim import replay
from dstamp_sim.analyses.happens_before import HappensBefore
from dstamp_sim.export.formats import OF_TRACES
from dstamp_sim.export.itf import ACTION, PROCESS
from dstamp_sim.export.mermaid import MOST_MESSAGES
from dstamp_sim.rendering.timeline.annotations import Annotations
from tests.holders import lease_that_lapses
from tests.rendering import sample_traces as samples


def stack_race():
    trace, _, annotations = samples.annotated("cc_ci")
    return trace, replace(annotations, clocks=tuple(HappensBefore(trace).clocks))


def hostile():
    trace = samples.hostile()
    said = Annotations(sentence=samples.HOSTILE[0], clocks=tuple(HappensBefore(trace).clocks))
    return trace, said


def timed():
    trace, _ = samples.incident()
    return trace, Annotations(clocks=tuple(HappensBefore(trace).clocks))


def lapsed():
    trace = replay(lease_that_lapses(), "run#1 time run#2*3 run#1*2")
    return trace, Annotations(clocks=tuple(HappensBefore(trace).clocks))


CASES = {"lapsed": lapsed, "stack race": stack_race, "hostile": hostile, "timed": timed}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]()


@pytest.mark.parametrize("name", OF_TRACES)
def test_every_format_is_the_same_every_time_and_can_be_written_as_utf_8(case, name):
    first, second = (OF_TRACES[name].write(*case) for _ in range(2))
    assert first == second
    assert isinstance(first, bytes) or first.encode("utf-8")


def events_of(case, phase):
    return [e for e in json.loads(OF_TRACES["perfetto"].write(*case))["traceEvents"] if e["ph"] == phase]


def test_trace_events_have_what_their_phase_demands(case):
    """Trace Event Format: X has ts and dur, M its args' name, s and f an id, and all a pid and a tid."""
    for event in json.loads(OF_TRACES["perfetto"].write(*case))["traceEvents"]:
        assert isinstance(event["name"], str) and isinstance(event["pid"], int) and isinstance(event["tid"], int)
        needs = {"X": {"ts", "dur", "cat"}, "M": {"args"}, "s": {"ts", "id", "cat"}, "f": {"ts", "id", "cat", "bp"}}
        assert needs[event["ph"]] <= set(event)
        assert event.get("dur", 1) > 0 and event.get("ts", 0) >= 0


def test_slices_of_one_track_nest(case):
    """Two slices of a track are apart, or one lies in the other: what trace viewers demand of complete events."""
    tracks = {}
    for event in events_of(case, "X"):
        tracks.setdefault((event["pid"], event["tid"]), []).append((event["ts"], -event["dur"]))
    for slices in tracks.values():
        open_ = []
        for begin, negative in sorted(slices):
            while open_ and open_[-1] <= begin:
                open_.pop()
            assert not open_ or begin - negative <= open_[-1]
            open_.append(begin - negative)


def test_what_is_held_and_no_lock_has_a_group_of_its_own_and_says_how_it_ended():
    groups = {e["pid"]: e["args"]["name"] for e in events_of(lapsed(), "M") if e["name"] == "process_name"}
    held = [e for e in events_of(lapsed(), "X") if e["name"].startswith("held by")]
    assert [(groups[e["pid"]], e["name"], e["args"].get("ended")) for e in held] == [
        ("holds", "held by run#1", "lapsed"),
        ("holds", "held by run#2", "let go"),
    ]


def test_every_flow_starts_and_ends_on_a_step_of_its_track(case):
    slices = {(e["pid"], e["tid"], e["ts"]) for e in events_of(case, "X")}
    starts, ends = events_of(case, "s"), events_of(case, "f")
    assert sorted(e["id"] for e in starts) == sorted(e["id"] for e in ends)
    assert all((e["pid"], e["tid"], e["ts"]) in slices for e in [*starts, *ends])


def test_the_cycle_is_among_the_flows():
    assert sum(event["cat"] == "cycle" for event in events_of(stack_race(), "s")) >= 2


def test_an_itf_trace_has_every_variable_in_every_state_and_only_its_kinds_of_value(case):
    """ADR-015: booleans, strings, lists, records, #bigint, #tup, #set, #map and #unserializable."""
    trace, _ = case
    document = json.loads(OF_TRACES["itf"].write(*case))
    assert document["#meta"]["format"] == "ITF"
    assert len(document["states"]) == len(trace.steps) + 1
    for index, state in enumerate(document["states"]):
        assert state["#meta"] == {"index": index}
        assert set(state) == {"#meta", *document["vars"]}
        assert all(is_itf(state[name]) for name in document["vars"])
    assert set(document["vars"]) - {ACTION, PROCESS} and document["states"][0][ACTION] == "init"


def is_itf(value):
    match value:
        case bool() | str():
            return True
        case list():
            return all(map(is_itf, value))
        case {"#bigint": str(digits)}:
            return re.fullmatch(r"-?\d+", digits) is not None
        case {"#tup": list(items)} | {"#set": list(items)}:
            return all(map(is_itf, items))
        case {"#unserializable": str()}:
            return True
        case dict():
            return all(not key.startswith("#") and is_itf(item) for key, item in value.items())
    return False


def test_the_default_expression_of_shiviz_reads_the_whole_log(case):
    trace, _ = case
    log = OF_TRACES["shiviz"].write(*case)
    events = re.findall(r"(?P<host>\S*) (?P<clock>{.*})\n(?P<event>.*)\n", log)
    assert len(events) == len(trace.steps)
    assert "".join(f"{host} {clock}\n{event}\n" for host, clock, event in events) == log
    own = {}
    for host, clock, _ in events:
        known = json.loads(clock)
        own[host] = own.get(host, 0) + 1
        assert known[host] == own[host]
        assert all(count <= own.get(other, 0) for other, count in known.items())


def test_graphml_is_read_back_with_a_node_per_step(case):
    trace, annotations = case
    graph = nx.read_graphml(io.BytesIO(OF_TRACES["graphml"].write(*case).encode("utf-8")), force_multigraph=True)
    assert len(graph) == len(trace.steps)
    kinds = [kind for _, _, kind in graph.edges(data="kind")]
    assert kinds.count("po") == len(trace.steps) - len({step.process for step in trace.steps})
    assert len(kinds) - kinds.count("po") == len(annotations.links)


@pytest.mark.needs("dot")
def test_graphviz_reads_the_dot_file(case):
    written = OF_TRACES["dot"].write(*case)
    read = subprocess.run(["dot", "-Tdot_json"], input=written, capture_output=True, text=True, check=True)
    assert read.stderr == ""
    assert len(json.loads(read.stdout)["objects"]) == len(case[0].steps)


def test_a_mermaid_diagram_has_only_lines_of_its_grammar(case):
    text = r"[^\n;<>{}\\]*"
    line = re.compile(
        rf"  (participant [PO]\d+ as {text}|[PO]\d+-?->>[PO]\d+: {text}|rect rgb\(253, 224, 217\)|end"
        rf"|Note (over [PO]\d+(,[PO]\d+)?|right of [PO]\d+): ({text}|(#\d+;)*)*|accTitle: ({text}|(#\d+;)*)*)"
    )
    first, second, *rest = OF_TRACES["mermaid"].write(*case).splitlines()
    assert (first, second) == ("%%{init: {'sequence': {'wrap': true}}}%%", "sequenceDiagram")
    for written in rest:
        plain = re.sub(r"#\d+;", "", written)
        assert line.fullmatch(plain), written
    assert rest.count("  end") == sum("rect" in written for written in rest)


def test_a_mermaid_diagram_marks_the_write_and_the_check_and_says_what_it_leaves_out():
    written = OF_TRACES["mermaid"].write(*stack_race())
    assert "P1->>O1: 30 ⚠ deploy_app#58; deploy(" in written
    assert "P0->>O1: 31 ⚠ check_hc1#58; read_stamp(False)" in written
    assert "the first 2 steps are left out" in written


def test_hostile_names_come_through_whole():
    trace, annotations = hostile()
    names = {e["args"]["name"] for e in events_of((trace, annotations), "M") if e["name"] == "thread_name"}
    for name in trace.processes:
        if name.isprintable():
            assert name in names


@pytest.mark.parametrize("name", ["perfetto", "shiviz", "mermaid"])
def test_a_trace_of_a_hundred_thousand_steps_is_written(name):
    long = samples.long(1_000)
    trace = replace(long, steps=long.steps * 100)
    clocks = tuple((n,) * len(trace.processes) for n in range(1, len(trace.steps) + 1))
    written = OF_TRACES[name].write(trace, Annotations(clocks=clocks))
    if name == "mermaid":
        assert written.count("->>") <= 2 * MOST_MESSAGES and "steps are left out" in written
    else:
        assert written.count("\n" if name == "shiviz" else '"ph":"X"') >= len(trace.steps)
