"""A shared variable."""

from collections.abc import Hashable
from typing import Any

from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, SharedObject


class Register(SharedObject):
    """One hashable value that is read, written, or compared and set, each atomically. Its state is the value."""

    def read(self) -> Op:
        """Returns the value."""
        return self.op("read")

    def write(self, value: Hashable) -> Op:
        """Makes `value` the value; returns None."""
        return self.op("write", value)

    def compare_and_set(self, expected: Hashable, value: Hashable) -> Op:
        """Makes `value` the value if it is `expected`; returns whether it was."""
        return self.op("compare_and_set", expected, value)

    def wait_for(self, value: Hashable) -> Op:
        """Blocks until the value is `value`: what a loop of reads would do, in one op. Returns None."""
        return self.op("wait_for", value)

    def outcomes(self, state: Any, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; only `wait_for` blocks."""
        match op.verb, op.args:
            case "read", ():
                return (Outcome(state, state),)
            case "write", (value,):
                return (Outcome(value),)
            case "compare_and_set", (expected, value):
                return (Outcome(value, True) if state == expected else Outcome(state, False),)
            case "wait_for", (value,):
                return (Outcome(state),) if state == value else ()
        raise self.unknown_verb(op)
