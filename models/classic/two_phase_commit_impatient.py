"""Two-phase commit with managers that lose patience: one that has voted yes gives up though others will commit.

After Gray and Lamport, "Consensus on transaction commit" (2006): once it has voted yes, a manager may no longer decide
alone. Messages are never lost, and the coordinator may give up until it has decided.
"""

from typing import NamedTuple

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, at_end


class Protocol(NamedTuple):
    voted: frozenset[int] = frozenset()
    heard: frozenset[int] = frozenset()
    decision: str = ""


class Exchange(SharedObject):
    """The messages sent, and what the coordinator made of them."""

    def __init__(self, managers: int) -> None:
        super().__init__("exchange", Protocol())
        self.everybody = frozenset(range(managers))

    def vote(self, me: int) -> Op:
        return self.op("vote", me)

    def wait_for_decision(self) -> Op:
        return self.op("wait_for_decision")

    def coordinate(self) -> Op:
        return self.op("coordinate")

    def outcomes(self, state: Protocol, op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "vote", (int(me),):
                yes = Outcome(state._replace(voted=state.voted | {me}), "prepared")
                return yes, Outcome(state, "aborted", "refuses")
            case "wait_for_decision", ():
                impatient = Outcome(state, "aborted", "loses patience")
                return (Outcome(state, state.decision), impatient) if state.decision else (impatient,)
            case "coordinate", ():
                return () if state.decision else tuple(self.choices(state))
        raise self.unknown_verb(op)

    def choices(self, state: Protocol) -> list[Outcome]:
        hears = [
            Outcome(state._replace(heard=state.heard | {voter}), None, f"hears {voter}")
            for voter in sorted(state.voted - state.heard)
        ]
        commits = [Outcome(state._replace(decision="committed"), None, "commits")]
        gives_up = Outcome(state._replace(decision="aborted"), None, "gives up")
        return [*hears, *(commits if state.heard == self.everybody else []), gives_up]


def manage(exchange: Exchange, me: int) -> Program[str]:
    if (yield exchange.vote(me)) == "aborted":
        return "aborted"
    return (yield exchange.wait_for_decision())


def coordinate(exchange: Exchange) -> Program[None]:
    yield exchange.coordinate()


def build(managers: int = 3) -> System:
    exchange = Exchange(managers)
    return System(
        objects=[exchange],
        processes=[
            *(Process(f"manager {me}", manage, exchange, me) for me in range(managers)),
            Process("coordinator", coordinate, exchange, daemon=True),
        ],
        properties=[at_end("all end alike", lambda results: len(set(results.values())) <= 1)],
    )
