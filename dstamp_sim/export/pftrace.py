"""Perfetto's own binary trace (protobuf): the tracks, slices and arrows of the JSON form as track events.

Field numbers are those of Perfetto's published perfetto_trace.proto. Only what these messages need of protobuf's wire
format is written here (varints, strings, nested messages, fixed64), so nothing need be installed to write a trace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from dstamp_sim.core.trace import Trace
from dstamp_sim.export.perfetto import Event, events_of
from dstamp_sim.rendering.timeline.told import Told

_BEGIN, _END = 1, 2
_IN_GIVEN_ORDER = 3

Track = tuple[int, int]


def pftrace(trace: Trace, told: Told) -> bytes:
    """The trace as one `perfetto.protos.Trace`; times in whole nanoseconds. Deterministic."""
    events = events_of(trace, told)
    return b"".join(_bytes(1, packet) for packet in chain(_descriptors(events), _track_events(events)))


def _descriptors(events: Sequence[Event]) -> Iterator[bytes]:
    """A track per group of tracks and, below it, one per process, lock and object, in the order given."""
    for event in events:
        name, group, number = event["args"].get("name", "") if event["ph"] == "M" else "", event["pid"], event["tid"]
        if event["name"] == "process_name":
            about = _int(1, _uuid((group, 0))) + _text(2, name) + _int(11, _IN_GIVEN_ORDER)
            yield _bytes(60, about)
        elif event["name"] == "thread_name":
            about = _int(1, _uuid((group, number))) + _text(2, name)
            yield _bytes(60, about + _int(5, _uuid((group, 0))) + _int(12, number))


def _track_events(events: Sequence[Event]) -> Iterator[bytes]:
    """Begin and end of every slice in time's order; of slices that begin together the outer one first."""
    slices = [event for event in events if event["ph"] == "X"]
    arrows = _arrows(events, slices)
    moments = []
    for number, event in enumerate(slices):  # a slice that encloses others of its extent comes after them
        begin, end = event["ts"], event["ts"] + event["dur"]
        moments.append(((begin, 1, -end, -number), _begin(event) + arrows[number], begin, event))
        moments.append(((end, 0, -begin, number), _int(9, _END), end, event))
    for _, about, at_us, event in sorted(moments, key=lambda moment: moment[0]):
        track = _int(11, _uuid((event["pid"], event["tid"])))
        yield _int(8, at_us * 1_000) + _int(10, 1) + _bytes(11, about + track)


def _begin(event: Event) -> bytes:
    notes = (_note(key, value) for key, value in event["args"].items())
    return _int(9, _BEGIN) + _text(22, event["cat"]) + _text(23, event["name"]) + b"".join(notes)


def _arrows(events: Sequence[Event], slices: Sequence[Event]) -> defaultdict[int, bytes]:
    """By the number of a slice: the arrows that start at it and end there, with what each says at its end."""
    at: dict[tuple[int, int, int], int] = {}
    for number, event in enumerate(slices):
        at.setdefault((event["pid"], event["tid"], event["ts"]), number)
    found: defaultdict[int, bytes] = defaultdict(bytes)
    for event in events:
        if event["ph"] in ("s", "f"):
            flow = (event["id"] + 1).to_bytes(8, "little")
            number = at[event["pid"], event["tid"], event["ts"]]
            ends = event["ph"] == "f"
            found[number] += _key(48 if ends else 47, 1) + flow
            found[number] += _note(f"{event['cat']}, {event['name']}", event["args"]["says"]) if ends else b""
    return found


def _uuid(track: Track) -> int:
    return (track[0] << 32) + track[1]


def _note(name: str, value: str) -> bytes:
    return _bytes(4, _text(10, name) + _text(6, value))


def _text(number: int, value: str) -> bytes:
    return _bytes(number, value.encode("utf-8"))


def _bytes(number: int, value: bytes) -> bytes:
    return _key(number, 2) + _varint(len(value)) + value


def _int(number: int, value: int) -> bytes:
    return _key(number, 0) + _varint(value)


def _key(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the top bit says that more follow."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
