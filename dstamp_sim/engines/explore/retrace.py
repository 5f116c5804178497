"""From a path of rows, in which copies may have changed places and steps are merged, to a schedule that replays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dstamp_sim.core.schedule import CRASH, Schedule
from dstamp_sim.core.semantics import Move
from dstamp_sim.engines.explore.space import Space
from dstamp_sim.engines.tables.tables import ENDED, LOCAL, Tables


def schedule_along(space: Space, path: Sequence[Any], *, to_the_last_op: bool) -> Schedule:
    """The choices that lead along `path`, staying with one process if that is possible.

    With `to_the_last_op`, every process also performs its pending local steps at the end, as a deadlock needs.
    """
    tables, moves, last = space.tables, list[Move](), -1
    start = tables.start_of(path[0].tolist())
    row = [*path[0].tolist()[: space.objects], *tables.local_starts(), 0]
    for target in path[1:]:
        wanted = target.tolist()
        options = [
            (pid, steps, after) for pid, steps, after in _moves(tables, row) if _canonical(space, after) == wanted
        ]
        last, steps, row = min(options, key=lambda option: option[0] != last)
        moves += steps
    if to_the_last_op:
        objects = len(tables.objects)
        for pid, local in enumerate(row[objects:-1]):
            moves += [Move(pid, 0)] * int(tables.before.data[local])
    return tables.semantics.schedule(start, moves)


def _moves(tables: Tables, row: list[int]) -> Iterator[tuple[int, list[Move], list[int]]]:
    """Every move from a row: the process, the steps that it merges, and the row after it."""
    objects = len(tables.objects)
    for pid, local in enumerate(row[objects:-1]):
        slot = int(tables.target.data[local])
        if slot == ENDED:
            continue
        yield from _ops(tables, row, pid, local, slot)
        if tables.classes[tables.class_of[pid]].killable and row[-1] < tables.semantics.system.crashes:
            yield pid, [Move(pid, CRASH)], _after_death(tables, row, pid, local)


def _ops(
    tables: Tables, row: list[int], pid: int, local: int, slot: int
) -> Iterator[tuple[int, list[Move], list[int]]]:
    before = int(tables.before.data[local])
    chain = tables.steps_to_end(local) - 1 if slot == LOCAL else 0
    for outcome, (onward, state) in enumerate(tables.successors(local, row[slot] if slot >= 0 else 0)):
        after = list(row)
        if slot >= 0:
            after[slot] = state
        after[len(tables.objects) + pid] = onward
        yield pid, [Move(pid, 0)] * (before + chain) + [Move(pid, outcome)], after


def _after_death(tables: Tables, row: list[int], pid: int, local: int) -> list[int]:
    after = list(row)
    for hold in tables.holds_of(local):
        slot = int(tables.hold_object.data[hold])
        after[slot] = tables.after_loss(hold, after[slot])
    after[len(tables.objects) + pid] = tables.death(local)
    after[-1] += 1
    return after


def _canonical(space: Space, row: list[int]) -> list[int]:
    """The row with the columns of identical processes sorted, where the space keeps them so."""
    if not space.symmetry:
        return row
    sorted_row = list(row)
    for klass in space.tables.classes:
        begin, end = space.objects + klass.pids[0], space.objects + klass.pids[-1] + 1
        sorted_row[begin:end] = sorted(sorted_row[begin:end])
    return sorted_row
