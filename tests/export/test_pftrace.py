"""The binary Perfetto trace, read with the `perfetto` package's own classes: nothing is unknown to them."""

import json

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

from dstamp_sim.export.formats import OF_TRACES
from tests.export.test_trace_formats import CASES, hostile, stack_race


def read(case):
    trace = Trace()
    trace.ParseFromString(OF_TRACES["pftrace"].write(*case))
    return trace


def events_of(trace):
    return [(packet.timestamp, packet.track_event) for packet in trace.packet if packet.HasField("track_event")]


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]()


def json_of(case, phase):
    return [e for e in json.loads(OF_TRACES["perfetto"].write(*case))["traceEvents"] if e["ph"] == phase]


def test_perfettos_classes_know_every_field_and_have_every_required_one(case):
    trace = read(case)
    assert trace.IsInitialized()
    for packet in trace.packet:
        for message in (packet, packet.track_event, packet.track_descriptor, *packet.track_event.debug_annotations):
            assert len(UnknownFieldSet(message)) == 0
    assert trace.SerializeToString() == Trace.FromString(trace.SerializeToString()).SerializeToString()


def test_its_slices_are_those_of_the_json_in_order_and_nested_on_tracks_that_are_declared(case):
    trace = read(case)
    declared = {p.track_descriptor.uuid for p in trace.packet if p.HasField("track_descriptor")}
    open_, done, last = {}, [], 0
    for at, event in events_of(trace):
        assert at >= last and event.track_uuid in declared
        last = at
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            open_.setdefault(event.track_uuid, []).append((at, event))
        else:
            begin, begun = open_[event.track_uuid].pop()
            done.append((begun.track_uuid, begin // 1000, (at - begin) // 1000, begun.name))
    assert not any(open_.values())
    expected = [((e["pid"] << 32) + e["tid"], e["ts"], e["dur"], e["name"]) for e in json_of(case, "X")]
    assert sorted(done) == sorted(expected)


def test_every_arrow_starts_at_one_slice_and_ends_at_another_that_says_why(case):
    starts, ends = {}, {}
    for _, event in events_of(read(case)):
        starts |= dict.fromkeys(event.flow_ids, event)
        ends |= dict.fromkeys(event.terminating_flow_ids, event)
    assert set(starts) == set(ends) == {e["id"] + 1 for e in json_of(case, "s")}
    for flow in json_of(case, "f"):
        assert flow["args"]["says"] in {note.string_value for note in ends[flow["id"] + 1].debug_annotations}


def test_the_checks_arrow_comes_from_the_write_that_it_saw():
    events = [event for _, event in events_of(read(stack_race()))]
    why = "which run#2's deploy_app wrote (steps 30, 31)"
    [check] = [e for e in events if any(why in note.string_value for note in e.debug_annotations)]
    assert check.name == "read_stamp"
    assert "deploy" in [e.name for e in events if set(e.flow_ids) & set(check.terminating_flow_ids)]


def test_hostile_names_of_tracks_come_through_whole():
    case = hostile()
    names = {p.track_descriptor.name for p in read(case).packet}
    assert {name for name in case[0].processes if name.isprintable()} <= names
