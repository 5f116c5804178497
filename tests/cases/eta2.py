"""A task that is to run later waits in a worker's memory; the broker takes it for lost and hands it out again."""

from typing import Literal, NamedTuple

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, always, at_end, delay


class Content(NamedTuple):
    ready: int = 0  # copies of the message in the queue
    unacked: bool = False  # whether its tag stands in the table of those handed out
    due: bool = False  # its time has come
    claimed: bool = False
    runs: int = 0
    finished: bool = False


class Broker(SharedObject):
    def publish(self) -> Op:
        return self.op("publish")

    def fetch(self) -> Op:
        return self.op("fetch")

    def becomes_due(self) -> Op:
        return self.op("becomes_due")

    def restore(self, after_eta: bool) -> Op:
        return self.op("restore", after_eta)

    def wait_unacked(self, after_eta: bool) -> Op:
        return self.op("wait_unacked", after_eta)

    def look(self) -> Op:
        return self.op("look")

    def claim(self) -> Op:
        return self.op("claim")

    def run(self) -> Op:
        return self.op("run")

    def finish(self) -> Op:
        return self.op("finish")

    def ack(self) -> Op:
        return self.op("ack")

    def wait_idle(self) -> Op:
        return self.op("wait_idle")

    def outcomes(self, s: Content, op: Op) -> tuple[Outcome, ...]:
        match op.verb, op.args:
            case "publish", ():
                return (Outcome(s._replace(ready=s.ready + 1)),)
            case "fetch", ():
                return (Outcome(s._replace(ready=s.ready - 1, unacked=True)),) if s.ready else ()
            case "becomes_due", ():
                return (Outcome(s._replace(due=True)),)
            case "wait_unacked", (bool(after_eta),):
                return (Outcome(s),) if s.unacked and (s.due or not after_eta) else ()
            case "restore", (bool(),):
                return (Outcome(s._replace(ready=s.ready + 1, unacked=False) if s.unacked else s),)
            case "look", ():
                return (Outcome(s, s.finished),)
            case "claim", ():
                return (Outcome(s._replace(claimed=True), not s.claimed),)
            case "run", ():
                return (Outcome(s._replace(runs=min(2, s.runs + 1))),)
            case "finish", ():
                return (Outcome(s._replace(finished=True)),)
            case "ack", ():
                return (Outcome(s._replace(unacked=False)),)
            case "wait_idle", ():
                return (Outcome(s, s.runs),) if not s.ready and not s.unacked else ()
        raise self.unknown_verb(op)


broker = Broker("broker", Content())


def customer() -> Program[int]:
    yield broker.publish()
    yield delay("eta")
    yield broker.becomes_due()
    return (yield broker.wait_idle())


def worker(guard: str) -> Program[None]:
    yield broker.fetch()
    yield delay("until its eta")
    if guard == "look" and (yield broker.look()):
        yield broker.ack()
        return
    if guard == "claim" and not (yield broker.claim()):
        yield broker.ack()
        return
    yield broker.run()
    yield delay("work")
    yield broker.finish()
    yield broker.ack()


def watch(after_eta: bool) -> Program[None]:
    yield broker.wait_unacked(after_eta)
    yield delay("visibility timeout")
    yield broker.restore(after_eta)


def build(workers: int = 2, guard: Literal["none", "look", "claim"] = "none", after_eta: bool = False) -> System:
    return System(
        objects=[broker],
        processes=[
            Process("customer", customer, killable=False),
            *(Process(f"worker-{n}", worker, guard, daemon=True, killable=True) for n in range(1, workers + 1)),
            Process("watcher", watch, after_eta, daemon=True),
        ],
        properties=[
            always("runs once at most", lambda s: s[broker].runs <= 1, reads=[broker]),
            at_end("runs once at least", lambda r, s: s[broker].runs >= 1, reads=[broker]),
        ],
    )
