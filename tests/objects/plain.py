"""What each object is, written once more as plain Python that changes in place: lists, dicts and no states.

`ways(verb, *args)` lists what an op may do now: its result and the change that it makes; an empty list means that it
blocks. The order is that of the object's outcomes.
"""

from collections.abc import Callable
from typing import Any

Way = tuple[Any, Callable[[], None]]


def nothing() -> None:
    """No change."""


class PlainSemaphore:
    """A list with one item for each free permit."""

    def __init__(self, permits: int) -> None:
        self.free = ["permit"] * permits
        self.most = permits

    def ways(self, verb: str, *_: Any) -> list[Way]:
        """What an op may do."""
        if verb in ("acquire", "try_acquire"):
            if self.free:
                return [(True, self.free.clear if len(self.free) == 1 else lambda: self.free.pop(0) and None)]
            return [(None, nothing)] if verb == "try_acquire" else []
        return [(False, nothing)] if len(self.free) == self.most else [(True, lambda: self.free.append("permit"))]

    def died(self, _: Any) -> None:
        """Permits of the dead are lost."""

    def shown(self) -> Any:
        """The state as the object has it."""
        return len(self.free)


class PlainUndoSemaphore(PlainSemaphore):
    """One that the kernel cleans up."""

    def died(self, _: Any) -> None:
        """Permits of the dead come back."""
        self.free = [*self.free, "permit"][: self.most]


class PlainRWLock:
    """The people in the room and those who stand before its door, by name."""

    def __init__(self) -> None:
        self.room: list[str] = []
        self.door: list[str] = []

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        if verb == "acquire_read":
            closed = "write" in self.room or self.door
            return [] if closed else [("read", lambda: self.room.append("read"))]
        if verb in ("acquire_write", "acquire_wanted"):
            return [] if self.room else [("write", lambda: self._enters(verb))]
        if verb == "want_write":
            return [(None, lambda: self.door.append("writer"))]
        return [(None, lambda: self.room.remove(args[0]))]

    def _enters(self, verb: str) -> None:
        self.room.append("write")
        if verb == "acquire_wanted":
            self.door.pop()

    def died(self, _: Any) -> None:
        """All stays."""

    def shown(self) -> Any:
        """The state as the object has it."""
        return self.room.count("read"), "write" in self.room, len(self.door)


class PlainCondition:
    """A dict from each ticket to what its sleeper was told, in order of falling asleep."""

    def __init__(self, fifo: bool, spurious: bool) -> None:
        self.fifo, self.spurious = fifo, spurious
        self.locked = False
        self.told: dict[int, bool] = {}

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        match verb:
            case "acquire":
                return [] if self.locked else [(True, lambda: setattr(self, "locked", True))]
            case "release":
                return [(None, lambda: setattr(self, "locked", False))]
            case "sleep":
                ticket = min(set(range(99)) - self.told.keys())
                return [(ticket, lambda: self._sleeps(ticket))]
            case "wake":
                may = not self.locked and (self.told[args[0]] or self.spurious)
                return [(True, lambda: self._wakes(args[0]))] if may else []
            case "notify":
                asleep = self._asleep()
                some = asleep[:1] if self.fifo else asleep
                return [(None, lambda one=one: self.told.update({one: True})) for one in some] or [(None, nothing)]
        return [(None, lambda: self.told.update(dict.fromkeys(self.told, True)))]

    def _asleep(self) -> list[int]:
        asleep = [ticket for ticket, told in self.told.items() if not told]
        return asleep if self.fifo else sorted(asleep)

    def _sleeps(self, ticket: int) -> None:
        self.locked = False
        self.told[ticket] = False

    def _wakes(self, ticket: int) -> None:
        self.locked = True
        del self.told[ticket]

    def died(self, _: Any) -> None:
        """All stays."""

    def shown(self) -> Any:
        """The state as the object has it."""
        notified = sorted(ticket for ticket, told in self.told.items() if told)
        return self.locked, tuple(self._asleep()), tuple(notified)


class PlainLine:
    """A list of tickets."""

    def __init__(self) -> None:
        self.line: list[int] = []

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        if verb == "line_up":
            ticket = min(set(range(99)) - set(self.line))
            return [(ticket, lambda: self.line.append(ticket))]
        if verb == "wait_turn":
            return [(None, nothing)] if self.line.index(args[0]) == 0 else []
        return [(None, lambda: self.line.remove(args[0]))]

    def died(self, token: Any) -> None:
        """The dead leave the line."""
        self.line.remove(token)

    def shown(self) -> Any:
        """The state as the object has it."""
        return tuple(self.line)
