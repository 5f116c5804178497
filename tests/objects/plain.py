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


class PlainCounter:
    """A list with an item for each one counted."""

    def __init__(self) -> None:
        self.items: list[int] = []

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        if verb == "read":
            return [(len(self.items), nothing)]
        more = lambda: self.items.extend([1] * args[0])  # noqa: E731
        return [(len(self.items) if verb == "fetch_and_add" else None, more)]

    def died(self, _: Any) -> None:
        """All stays."""

    def shown(self) -> Any:
        """The state as the object has it."""
        return len(self.items)


class PlainStore:
    """A log of all that was ever put, and of all fencing tokens that came."""

    def __init__(self, stale: int) -> None:
        self.log: list[Any] = [None]
        self.stale = stale
        self.tokens = [0]

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        last = len(self.log) - 1
        match verb:
            case "get":
                oldest = last if args[0] else max(0, last - self.stale)
                return [((self.log[n], n), nothing) for n in range(last, oldest - 1, -1)]
            case "put":
                return [(last + 1, lambda: self.log.append(args[0]))]
            case "put_if":
                right = args[0] == last
            case "put_fenced":
                right = all(token <= args[0] for token in self.tokens)
            case _:
                right = repr(self.log[-1]) == repr(args[0])
        return [(right, lambda: self._changes(verb, args, right))]

    def _changes(self, verb: str, args: tuple[Any, ...], right: bool) -> None:
        if verb == "put_fenced":
            self.tokens.append(args[0])
        if right:
            self.log.append(args[1])

    def died(self, _: Any) -> None:
        """All stays."""

    def shown(self) -> Any:
        """The state as the object has it."""
        (number, newest), *older = reversed(list(enumerate(self.log))[-self.stale - 1 :])
        return newest, number, max(self.tokens), tuple((value, number) for number, value in older)


class PlainChannel:
    """A list of messages; unordered ones are numbers here, so that their order is plain."""

    def __init__(self, capacity: int | None = None, fifo: bool = True, loses: bool = False, doubles: bool = False):
        self.capacity, self.fifo, self.loses, self.doubles = capacity, fifo, loses, doubles
        self.pipe: list[int] = []

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        tries = verb.startswith("try")
        if verb.endswith("send"):
            room = 99 if self.capacity is None else self.capacity - len(self.pipe)
            times = [1, *([0] if self.loses else []), *([2] if self.doubles and room > 1 else [])] if room else []
            found = [(True if tries else None, lambda n=n: self.pipe.extend([args[0]] * n)) for n in times]
            return found or [(False, nothing)] * tries
        shown = self.pipe[:1] if self.fifo else sorted(set(self.pipe))
        return [(one, lambda one=one: self.pipe.remove(one)) for one in shown] or [(None, nothing)] * tries

    def died(self, _: Any) -> None:
        """All stays."""

    def shown(self) -> Any:
        """The state as the object has it."""
        return tuple(self.pipe if self.fifo else sorted(self.pipe))


class PlainLease:
    """Who has it, and for each time to live that is counted, whether it is the present one."""

    def __init__(self) -> None:
        self.owner = 0
        self.tokens = 0
        self.counted: dict[int, bool] = {}
        self.now = 0

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        mine = bool(self.owner) and args[:1] == (self.owner,)
        match verb:
            case "acquire" | "try_acquire":
                if self.owner:
                    return [(None, nothing)] * verb.startswith("try")
                return [(self.tokens + 1, self._begins)]
            case "watch":
                idle = self.owner and not self.counted.get(self.now)
                return [(self.now, lambda: self.counted.update({self.now: True}))] if idle else []
            case "lapse":
                return [(None, lambda: self._over(args[0]))]
            case "delete":
                return [(None, lambda: setattr(self, "owner", 0))]
            case "is_held":
                return [(mine, nothing)]
            case "release":
                return [(mine, lambda: setattr(self, "owner", 0) if mine else None)]
        return [(mine, self._anew if mine and self.counted.get(self.now) else nothing)]

    def _begins(self) -> None:
        self.tokens += 1
        self.owner = self.tokens
        self._anew()

    def _anew(self) -> None:
        self.counted = dict.fromkeys(self.counted, False)
        self.now = min(set(range(99)) - self.counted.keys())

    def _over(self, term: int) -> None:
        if self.counted.pop(term):
            self.owner = 0

    def died(self, _: Any) -> None:
        """Nothing is released."""

    def shown(self) -> Any:
        """The state as the object has it."""
        return self.owner or None, self.tokens, self.now, tuple(sorted(self.counted))


class PlainQueue:
    """A list of jobs, each with who has it; and of consumers, each with the job that it thinks to have."""

    def __init__(self, messages: tuple[Any, ...], requeues: bool) -> None:
        self.visible = list(messages)
        self.taken: dict[int, Any] = {}
        self.alive: set[int] = set()
        self.clocks: set[int] = set()
        self.requeues = requeues

    def ways(self, verb: str, *args: Any) -> list[Way]:
        """What an op may do."""
        match verb:
            case "send":
                return [(None, lambda: self.visible.append(args[0]))]
            case "receive" | "try_receive":
                if not self.visible:
                    return [(None, nothing)] * verb.startswith("try")
                receipt = min(set(range(99)) - self.taken.keys() - self.alive - self.clocks)
                return [((self.visible[0], receipt), lambda: self._takes(receipt))]
            case "acknowledge":
                return [(args[0] in self.taken, lambda: self._leaves(args[0], keeps=False))]
            case "give_back":
                return [(None, lambda: self._leaves(args[0], keeps=True))]
            case "abandon":
                return [(None, lambda: self.alive.discard(args[0]))]
            case "watch":
                new = sorted(self.taken.keys() - self.clocks)[:1]
                return [(one, lambda one=one: self.clocks.add(one)) for one in new]
        return [(None, lambda: self._rings(args[0]))]

    def _takes(self, receipt: int) -> None:
        self.taken[receipt] = self.visible.pop(0)
        self.alive.add(receipt)

    def _leaves(self, receipt: int, keeps: bool) -> None:
        self.alive.discard(receipt)
        if receipt in self.taken:
            message = self.taken.pop(receipt)
            self.visible.extend([message] * keeps)

    def _rings(self, receipt: int) -> None:
        self.clocks.remove(receipt)
        if receipt in self.taken:
            self.visible.append(self.taken.pop(receipt))

    def died(self, token: int) -> None:
        """The consumer is gone."""
        if self.requeues:
            self._leaves(token, keeps=True)
        self.alive.discard(token)

    def shown(self) -> Any:
        """The state as the object has it."""
        deliveries = tuple((message, receipt) for receipt, message in sorted(self.taken.items()))
        late = tuple(sorted(self.alive - self.taken.keys()))
        orphans = tuple(sorted(self.taken.keys() - self.alive))
        return tuple(self.visible), deliveries, tuple(sorted(self.clocks)), late, orphans
