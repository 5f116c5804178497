"""A queue whose messages must be acknowledged, and come again when they are not."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

from dstamp_sim.core.op import Op, Program, delay
from dstamp_sim.core.shared_object import Outcome, SharedObject
from dstamp_sim.objects.waiting_line import unused, without


class Delivery(NamedTuple):
    """What a consumer received: a message, and the receipt to acknowledge it with."""

    message: Any
    receipt: int


class Delivered(NamedTuple):
    """The state of a queue: the messages that wait, and the deliveries whose messages nobody else gets meanwhile.

    `timed` are the receipts whose time the queue counts, `late` those of messages that came again, while a consumer
    still has the receipt, `orphaned` those whose consumer died.
    """

    waiting: tuple[Any, ...] = ()
    invisible: tuple[Delivery, ...] = ()
    timed: tuple[int, ...] = ()
    late: tuple[int, ...] = ()
    orphaned: tuple[int, ...] = ()

    @property
    def receipts(self) -> tuple[int, ...]:
        """The receipts of the messages that nobody else gets meanwhile."""
        return tuple(delivery.receipt for delivery in self.invisible)

    def settled(self, receipt: Any) -> Delivered:
        """Neither a message nor a consumer has this receipt any more."""
        invisible = tuple(delivery for delivery in self.invisible if delivery.receipt != receipt)
        return self._replace(
            invisible=invisible, late=without(self.late, receipt), orphaned=without(self.orphaned, receipt)
        )

    def again(self, receipt: Any) -> Delivered:
        """The message of this receipt is visible again, if it was not yet; its consumer, if alive, is late."""
        waiting = tuple(delivery.message for delivery in self.invisible if delivery.receipt == receipt)
        if not waiting:
            return self
        late = () if receipt in self.orphaned else (receipt,)
        return self.settled(receipt)._replace(
            waiting=(*self.waiting, *waiting), late=tuple(sorted((*self.late, *late)))
        )

    def abandoned(self, receipt: Any) -> Delivered:
        """The consumer with this receipt is gone; a message stays invisible until its time is over."""
        orphaned = (receipt,) if receipt in self.receipts else ()
        return self._replace(late=without(self.late, receipt), orphaned=tuple(sorted((*self.orphaned, *orphaned))))


class Queue(SharedObject):
    """Messages that are invisible once received, deleted once acknowledged, and come again if that takes too long.

    SQS, a table of jobs that are claimed, and with `requeues=True` AMQP, where the message of a consumer that dies or
    ends without an answer comes again at once. Time is a daemon: `Process("time", queue.redelivers, daemon=True)`;
    without one nothing comes again by itself. Where time is not told, that is at any moment; on the clock when the
    delay "NAME visibility" is over (`copies` of the daemon: as many as there can be deliveries at once). A message that
    comes again is the last one. A receipt is the smallest number that nobody has.
    """

    def __init__(self, name: str, messages: tuple[Hashable, ...] = (), *, requeues: bool = False) -> None:
        super().__init__(name, Delivered(tuple(messages)))
        self.requeues = requeues

    def send(self, message: Hashable) -> Op:
        """Adds a message; returns None."""
        return self.op("send", message)

    def receive(self) -> Op:
        """Blocks until a message is visible; returns a `Delivery`."""
        return self.op("receive")

    def try_receive(self) -> Op:
        """Returns a `Delivery`, or None if no message is visible."""
        return self.op("try_receive")

    def acknowledge(self, receipt: int) -> Op:
        """Deletes the message unless it came again meanwhile; returns whether it did."""
        return self.op("acknowledge", receipt)

    def give_back(self, receipt: int) -> Op:
        """The message is visible again at once, unless it is already; returns None."""
        return self.op("give_back", receipt)

    def abandon(self, receipt: int) -> Op:
        """This process will not acknowledge: the message is visible again when its time is over. Returns None."""
        return self.op("abandon", receipt)

    def watch(self) -> Op:
        """Blocks until there is a delivery whose time nobody counts; returns its receipt. For the daemon."""
        return self.op("watch")

    def redeliver(self, receipt: int) -> Op:
        """This time is over: the message is visible again, unless it was acknowledged. Returns None. For the daemon."""
        return self.op("redeliver", receipt)

    def redelivers(self) -> Program[None]:
        """The daemon's program: counts the time of one delivery, and ends it."""
        receipt = yield self.watch()
        yield delay(f"{self.name} visibility")
        yield self.redeliver(receipt)

    def outcomes(self, state: Delivered, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; `receive` and `watch` block."""
        match op.verb, op.args:
            case "send", (message,):
                return (Outcome(state._replace(waiting=(*state.waiting, message))),)
            case "receive" | "try_receive", ():
                return _received(state, waits=op.verb == "receive")
            case "acknowledge", (int(receipt),):
                return (Outcome(state.settled(receipt), receipt in state.receipts, drops=receipt),)
            case "give_back", (int(receipt),):
                return (Outcome(state.again(receipt).settled(receipt), drops=receipt),)
            case "abandon", (int(receipt),):
                return (Outcome(state.abandoned(receipt), drops=receipt),)
            case "watch", ():
                new = [one.receipt for one in state.invisible if one.receipt not in state.timed][:1]
                timed = tuple(sorted((*state.timed, *new)))
                return tuple(Outcome(state._replace(timed=timed), receipt) for receipt in new)
            case "redeliver", (int(receipt),):
                label = "" if receipt in state.receipts else "was acknowledged"
                return (Outcome(state.again(receipt)._replace(timed=without(state.timed, receipt)), label=label),)
        raise self.unknown_verb(op)

    def on_death(self, state: Delivered, token: Hashable) -> Delivered:
        """Its message comes again at once, or when its time is over."""
        return state.again(token).settled(token) if self.requeues else state.abandoned(token)

    def at_exit(self, token: Any) -> Op:
        """Who ends without an answer does as who dies."""
        return self.give_back(token) if self.requeues else self.abandon(token)


def _received(state: Delivered, *, waits: bool) -> tuple[Outcome, ...]:
    if not state.waiting:
        return () if waits else (Outcome(state, None),)
    message, *rest = state.waiting
    delivery = Delivery(message, unused(state.receipts, state.timed, state.late))
    after = state._replace(waiting=tuple(rest), invisible=tuple(sorted((*state.invisible, delivery), key=_by_receipt)))
    return (Outcome(after, delivery, takes=delivery.receipt),)


def _by_receipt(delivery: Delivery) -> int:
    return delivery.receipt
