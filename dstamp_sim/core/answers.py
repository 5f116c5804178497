"""What objects answer: the outcomes of an op, what a process does at its exit, and what its death leaves.

Each raises ModelError with the model's line where the object raises or answers something else.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from dstamp_sim.core.errors import ModelError, blamed
from dstamp_sim.core.op import GAVE_UP, Op
from dstamp_sim.core.place import Place, defined, raised_at
from dstamp_sim.core.repeated import is_same
from dstamp_sim.core.shared_object import Outcome, SharedObject, giving_up
from dstamp_sim.core.value import text


def ask_outcomes(target: SharedObject, current: Hashable, op: Op, place: Place) -> tuple[Outcome, ...]:
    """The outcomes of an op, from its object. Raises ModelError if the object returns something else."""
    try:
        given: Any = target.outcomes(current, op)
    except BaseException as error:
        raise blamed(error, place, f"{op} in state {text(current)}") from error
    if not isinstance(given, (tuple, list)) or not _are_outcomes(given):
        raise ModelError(
            f"{defined(type(target).outcomes)}: outcomes of {target.name!r} returned {given!r} for {op} in state "
            f"{text(current)}: it returns a tuple of Outcomes, such as (Outcome(state, result),), or () where it blocks"
        )
    if any(outcome.result is GAVE_UP for outcome in given):
        raise ModelError(f"{defined(type(target).outcomes)}: {op} returned GAVE_UP: only an op within a delay gives up")
    return tuple(given) or giving_up(op, current)


def _are_outcomes(given: Sequence[Any]) -> bool:
    return set(map(type, given)) <= _OUTCOME or all(isinstance(item, Outcome) for item in given)


_OUTCOME = frozenset({Outcome})


def same_outcomes(now: Sequence[Outcome], before: Sequence[Outcome], again: Hashable, current: Hashable) -> bool:
    """Whether two answers are one: to the question about the state `again`, and to that about its equal `current`."""
    if len(now) != len(before):
        return False
    for one, other in zip(now, before, strict=True):  # a loop, as each question of a user's object comes here
        unchanged = one.state is again and other.state is current
        if not (unchanged or is_same(one.state, other.state)) or not is_same(one.result, other.result):
            return False
        if one.takes is not other.takes and not is_same(one.takes, other.takes):
            return False
        if one.drops is not other.drops and not is_same(one.drops, other.drops):
            return False
        if one.label != other.label:
            return False
    return True


def listed_outcomes(outcomes: Sequence[Outcome]) -> str:
    """The outcomes in a few words each."""
    return ", ".join(f"{text(each.result)} (state {text(each.state)})" for each in outcomes) or "nothing (it blocks)"


def closing_op(holds: Sequence[tuple[SharedObject, Hashable]]) -> Op | None:
    """The next op that a process performs after it has returned, to release what it holds; None if there is none.

    Raises ModelError with the model's line.
    """
    for target, token in reversed(holds):
        place, asked = defined(type(target).at_exit), f"at_exit(self, token) of {target.name!r}"
        try:
            op: object = target.at_exit(token)
        except BaseException as error:
            raise blamed(error, raised_at(error, place), asked) from error
        if isinstance(op, Op):
            return op
        if op is not None:
            raise ModelError(f"{place}: {asked} returned {op!r}: it returns an Op, such as self.op('release'), or None")
    return None


def left_by_death(target: SharedObject, state: Hashable, token: Hashable) -> Hashable:
    """The state that follows `state` when a process that held `token` dies. Raises ModelError with the model's line."""
    place = defined(type(target).on_death)
    try:
        left: Hashable = target.on_death(state, token)
    except BaseException as error:
        raise blamed(error, raised_at(error, place), f"on_death(self, state, token) of {target.name!r}") from error
    return left
