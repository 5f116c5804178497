"""Two small objects: something that the environment decides, and a count."""

from typing import Any

from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, SharedObject


class Chance(SharedObject):
    """What the environment decides: every draw returns one of its labels, and any of them is possible every time.

    Untimed engines see them all; timed ones draw by the labels' probabilities in the scenario.
    """

    def __init__(self, name: str, *labels: str, private: bool = False) -> None:
        super().__init__(name, private=private)
        self.labels = labels

    def draw(self) -> Op:
        """Returns one of the labels."""
        return self.op("draw")

    def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
        """One per label, in the order given."""
        if op.verb == "draw":
            return tuple(Outcome(state, label, label) for label in self.labels)
        raise self.unknown_verb(op)


class Counter(SharedObject):
    """A number that is added to and read, each atomically. Its state is the number."""

    def __init__(self, name: str, initial: int = 0) -> None:
        super().__init__(name, initial)

    def add(self, amount: int) -> Op:
        """Adds `amount`; returns None."""
        return self.op("add", amount)

    def fetch_and_add(self, amount: int = 1) -> Op:
        """Adds `amount`; returns the number before: a sequence, a ticket, INCR less one."""
        return self.op("fetch_and_add", amount)

    def read(self) -> Op:
        """Returns the number."""
        return self.op("read")

    def outcomes(self, state: int, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; nothing blocks."""
        match op.verb, op.args:
            case "add", (int(amount),):
                return (Outcome(state + amount),)
            case "fetch_and_add", (int(amount),):
                return (Outcome(state + amount, state),)
            case "read", ():
                return (Outcome(state, state),)
        raise self.unknown_verb(op)
