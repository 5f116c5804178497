"""Messages on their way: a channel, a socket, a network."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.core.typed import expect, is_number
from dstamp_sim.core.value import text

Messages = tuple[Any, ...]


class Channel(SharedObject):
    """Messages between those who send and those who receive; each is received once. Its state: those on their way.

    At most `capacity` are on their way (None: any number, and then a loop that sends has states without end); those of
    `messages` are at first. They come in the order in which they were sent; with `fifo=False` in any. With `loses=True`
    one may be lost, with `doubles=True` it may come twice, decided when it is sent. They outlive who sent them.
    """

    def __init__(
        self,
        name: str,
        messages: Messages = (),
        *,
        capacity: int | None = None,
        fifo: bool = True,
        loses: bool = False,
        doubles: bool = False,
    ) -> None:
        fits = capacity is None or (is_number(capacity) and capacity > 0)
        expect(fits, f"Channel {name!r}", "capacity", capacity, "a number from 1 on, or None")
        super().__init__(name, tuple(messages) if fifo else tuple(sorted(messages, key=text)))
        self.capacity, self.fifo = capacity, fifo
        self.loses, self.doubles = loses, doubles

    def send(self, message: Hashable) -> Op:
        """Blocks while the channel is full, then sends; returns None."""
        return self.op("send", message)

    def try_send(self, message: Hashable) -> Op:
        """Sends unless the channel is full; returns whether it did."""
        return self.op("try_send", message)

    def receive(self) -> Op:
        """Blocks until a message is there; returns it."""
        return self.op("receive")

    def try_receive(self) -> Op:
        """Returns a message, or None if there is none."""
        return self.op("try_receive")

    def outcomes(self, state: Messages, op: Op) -> tuple[Outcome, ...]:
        """Deterministic where messages are neither lost nor doubled and come in order; `send` and `receive` block."""
        match op.verb, op.args:
            case ("send" | "try_send") as verb, (message,):
                result = None if verb == "send" else True
                sent = tuple(Outcome(after, result, label) for after, label in self._sent(state, message))
                return sent or ((Outcome(state, False),) if verb == "try_send" else ())
            case ("receive" | "try_receive") as verb, ():
                received = tuple(self._received(state))
                return received or ((Outcome(state, None),) if verb == "try_receive" else ())
        raise self.unknown_verb(op)

    def _sent(self, state: Messages, message: Any) -> Iterator[tuple[Messages, str]]:
        room = 2 if self.capacity is None else self.capacity - len(state)
        if room:
            yield self._with(state, message), ""
        if room and self.loses:
            yield state, "lost"
        if room > 1 and self.doubles:
            yield self._with(self._with(state, message), message), "doubled"

    def _with(self, state: Messages, message: Any) -> Messages:
        on_their_way = (*state, message)
        return on_their_way if self.fifo else tuple(sorted(on_their_way, key=text))

    def _received(self, state: Messages) -> Iterator[Outcome]:
        several = dict.fromkeys(state[:1] if self.fifo else state)
        for message in several:
            place = state.index(message)
            label = text(message) if len(several) > 1 else ""
            yield Outcome(state[:place] + state[place + 1 :], message, label)
