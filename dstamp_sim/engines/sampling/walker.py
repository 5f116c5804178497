"""The compiled loop: schedule after schedule walked over the tables, each chosen by a strategy's oracle.

Where an entry of the tables or an answer is missing, it returns to have it filled and walks that schedule again from
its start: a schedule depends on its number only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dstamp_sim.engines.sampling import oracle, strategies
from dstamp_sim.engines.sampling.oracle import LAST_ACTOR, LAST_SLOT, Memory, Offer
from dstamp_sim.engines.sampling.questions import EVERY_OBJECT, EVERYBODY, Asked, all_are, decided
from dstamp_sim.engines.tables import kernel
from dstamp_sim.engines.tables.compiled import compiled
from dstamp_sim.engines.tables.kernel import Deaths, StepTables

DONE, MISSED, ASK, FULL, UNDECIDED, NO_MORE = range(6)
"""Why a walk returned: range done; entries are missing; answers are missing; no room for another end; a draw fell
on a boundary; the strategy has no further schedule."""

MOST_STEPS, CUT, STEPS, LONGEST, ENDS, FAILING, NUMBERS = range(7)
"""What `Tallies.numbers` holds: steps allowed, schedules cut off there, steps in all, of the longest, distinct ends,
schedules that violate something; and how many numbers these are."""


class Tallies(NamedTuple):
    """The sums over walks: by property the deciding schedules, and the first one with its moves; ends; numbers."""

    decided: Any
    first: Any
    first_moves: Any
    first_steps: Any
    ends: Any
    slots: Any
    counts: Any
    numbers: Any


class Room(NamedTuple):
    """Room to work in: the initial rows, the row under way, its end, the moves made, what is offered, what misses."""

    starts: Any
    row: Any
    end: Any
    moves: Any
    offer: Offer
    misses: Any
    missed: Any


@compiled
def look_up(row: Any, objects: int, steps: StepTables, death: Deaths, offer: Offer, misses: Any, missed: Any) -> Any:
    """Fills `offer` for the state in `row`; returns how many processes can move and die, -1 if entries are missing."""
    mortal = row[row.shape[0] - 1] < death.allowed
    possible, missing = 0, False
    missed[1] = 0
    for p in range(offer.outcomes.shape[0]):
        here = row[objects + p]
        slot = steps.target[here]
        offer.slot[p], offer.outcomes[p], offer.may_die[p] = slot, 0, 0
        if slot == kernel.ENDED:
            continue
        state = row[slot] if slot >= 0 else 0
        entry = steps.entries[steps.base[here] + state]
        if entry < 0:
            kernel.note(misses, missed, kernel.OF_OP, here, state)
            missing = True
            continue
        offer.outcomes[p] = steps.first[entry + 1] - steps.first[entry]
        offer.may_die[p] = mortal and death.killable[p]
        possible += (offer.outcomes[p] > 0) + offer.may_die[p]
    return -1 if missing else possible


@compiled
def move(
    row: Any, objects: int, actor: Any, outcome: Any, steps: StepTables, death: Deaths, misses: Any, missed: Any
) -> Any:
    """Changes `row` as a possible move does; False (and `row` is undefined) when entries of a death are missing."""
    n = row.shape[0] - 1 - objects
    missed[1] = 0
    if actor >= n:
        here = row[objects + actor - n]
        if not kernel.lose(row, here, death, misses, missed):
            return False
        row[objects + actor - n] = death.death_of[here]
        row[row.shape[0] - 1] += 1
        return True
    here = row[objects + actor]
    slot = steps.target[here]
    entry = steps.entries[steps.base[here] + (row[slot] if slot >= 0 else 0)]
    k = steps.first[entry] + outcome
    if slot >= 0:
        row[slot] = steps.next_state[k]
    row[objects + actor] = steps.next_local[k]
    return True


@compiled
def _note_end(room: Room, objects: int, asked: Asked, tallies: Tallies) -> None:
    """Counts the results with which the schedule ended."""
    for p in range(room.end.shape[0]):
        local = room.row[objects + p]
        room.end[p] = local if asked.result[local] else -1
    number, new = kernel.insert(tallies.ends, tallies.numbers[ENDS], tallies.slots, room.end)
    tallies.numbers[ENDS] += new
    tallies.counts[number] += 1


@compiled
def _note_decided(bits: int, schedule: int, moves: Any, steps: int, tallies: Tallies) -> None:
    for prop in range(tallies.decided.shape[0]):
        if (bits >> prop) & 1:
            tallies.decided[prop] += 1
            if tallies.first[prop] < 0:
                tallies.first[prop], tallies.first_steps[prop] = schedule, steps
                for step in range(steps):
                    tallies.first_moves[prop, step, 0] = moves[step, 0]
                    tallies.first_moves[prop, step, 1] = moves[step, 1]


@compiled
def start_of(rng: Any, seed: Any, schedule: Any, count: int) -> Any:
    """The initial state of a schedule, each of `count` as likely; drawn apart, so no other draw depends on it."""
    if count == 1:
        return 0
    oracle.seed(rng, ~seed, schedule)
    return oracle.below(rng, count)


@compiled
def _walk_one(
    strategy: int,
    seed: int,
    schedule: int,
    objects: int,
    steps: StepTables,
    death: Deaths,
    asked: Asked,
    memory: Memory,
    room: Room,
    numbers: Any,
) -> Any:
    """Walks one schedule into `room`; returns why it ended, the properties it decided (bits), its steps, and if cut."""
    n = room.end.shape[0]
    row = room.row
    start = start_of(memory.rng, seed, schedule, room.starts.shape[0])
    for column in range(row.shape[0]):
        row[column] = room.starts[start, column]
    oracle.seed(memory.rng, seed, schedule)
    strategies.begin(strategy, memory)
    bits = decided(row, objects, EVERY_OBJECT, EVERYBODY, asked)
    if bits < 0:
        return ASK, 0, 0, False
    step = 0
    while True:
        possible = look_up(row, objects, steps, death, room.offer, room.misses, room.missed)
        if possible < 0:
            return MISSED, 0, step, False
        able = possible > 0
        if death.allowed > 0:
            able = False
            for p in range(n):
                able |= room.offer.outcomes[p] > 0
        if not able and not all_are(row, objects, asked.rests):
            bits |= asked.deadlock
        if possible == 0 or step == numbers[MOST_STEPS]:
            return DONE, bits, step, possible > 0
        actor, outcome = strategies.choose(strategy, memory, step, room.offer)
        if actor < 0:
            return UNDECIDED, 0, step, False
        room.moves[step, 0], room.moves[step, 1] = actor, outcome
        slot = room.offer.slot[actor] if actor < n else -1
        before = row[slot] if slot >= 0 else 0
        if not move(row, objects, actor, outcome, steps, death, room.misses, room.missed):
            return MISSED, 0, step, False
        memory.numbers[LAST_ACTOR], memory.numbers[LAST_SLOT] = actor, slot
        step += 1
        changed: Any = EVERY_OBJECT if actor >= n or slot > 61 else 0
        if changed == 0 and slot >= 0 and row[slot] != before:
            changed = np.int64(1) << slot
        more = decided(row, objects, changed, actor if actor < n else actor - n, asked)
        if more < 0:
            return ASK, 0, step, False
        bits |= more


@compiled
def walk(
    strategy: int,
    seed: int,
    begin: int,
    end: int,
    objects: int,
    steps: StepTables,
    death: Deaths,
    asked: Asked,
    memory: Memory,
    room: Room,
    tallies: Tallies,
) -> Any:
    """Walks the schedules begin..end; returns why it came back and the first schedule that is not walked."""
    for schedule in range(begin, end):
        if tallies.numbers[ENDS] >= tallies.counts.shape[0]:
            return FULL, schedule
        why, bits, step, cut = _walk_one(
            strategy, seed, schedule, objects, steps, death, asked, memory, room, tallies.numbers
        )
        if why != DONE:
            return why, schedule
        _note_end(room, objects, asked, tallies)
        _note_decided(bits, schedule, room.moves, step, tallies)
        tallies.numbers[FAILING] += (bits & asked.forbidden) != 0
        tallies.numbers[CUT] += cut
        tallies.numbers[STEPS] += step
        tallies.numbers[LONGEST] = max(tallies.numbers[LONGEST], step)
        if not strategies.done(strategy, memory):
            return NO_MORE, schedule + 1
    return DONE, end
