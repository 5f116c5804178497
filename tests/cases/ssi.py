"""Transactions under serialisable snapshot isolation: who is a pivot (read what another wrote, wrote what another read)
aborts. Each reads its neighbour's row and, if that is on call, goes off call itself.
"""

from itertools import permutations
from typing import Literal, NamedTuple

from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, at_end


class Txn(NamedTuple):
    status: str = "new"  # new, running, deciding, committed, aborted
    read_by_me_written: bool = False  # I read what another wrote
    written_by_me_read: bool = False  # I wrote what another read
    read: int = -1
    wrote: int = -1


class Database(SharedObject):
    def __init__(self, n: int, commit: str) -> None:
        super().__init__("database", ((1,) * n, (Txn(),) * n))
        self.commit_as = commit

    def read(self, me: int, key: int) -> Op:
        return self.op("read", me, key)

    def write(self, me: int, key: int) -> Op:
        return self.op("write", me, key)

    def decide(self, me: int) -> Op:
        return self.op("decide", me)

    def publish(self, me: int) -> Op:
        return self.op("publish", me)

    def outcomes(self, state, op: Op) -> tuple[Outcome, ...]:
        rows, txns = state
        t = list(txns)
        match op.verb, op.args:
            case "read", (int(me), int(key)):
                t[me] = t[me]._replace(status="running", read=key)
                for w, other in enumerate(txns):  # a concurrent writer of it
                    if w != me and other.wrote == key and other.status in ("running", "deciding"):
                        t[me] = t[me]._replace(read_by_me_written=True)
                        t[w] = t[w]._replace(written_by_me_read=True)
                return (Outcome((rows, tuple(t)), rows[key]),)
            case "write", (int(me), int(key)):
                for r, other in enumerate(txns):
                    # concurrent: it read before, and had not committed before I began (all begin at their read)
                    if r == me or other.read != key or other.status in ("new", "aborted"):
                        continue
                    sees_end = other.status == "committed" or (
                        self.commit_as == "announced" and other.status == "deciding"
                    )
                    if not sees_end and other.written_by_me_read:
                        t[r] = t[r]._replace(read_by_me_written=True)  # it will find out itself
                        continue
                    if sees_end and other.written_by_me_read:
                        t[me] = t[me]._replace(status="aborted")
                        return (Outcome((rows, tuple(t)), False, "aborted"),)
                    t[r] = t[r]._replace(read_by_me_written=True)
                    t[me] = t[me]._replace(written_by_me_read=True)
                t[me] = t[me]._replace(wrote=key)
                return (Outcome((rows, tuple(t)), True),)
            case "decide", (int(me),):
                mine = txns[me]
                if mine.read_by_me_written and mine.written_by_me_read:
                    t[me] = mine._replace(status="aborted")
                    return (Outcome((rows, tuple(t)), False, "aborted"),)
                if self.commit_as == "atomic":
                    return self.committed(rows, t, me)
                t[me] = mine._replace(status="deciding")
                return (Outcome((rows, tuple(t)), True),)
            case "publish", (int(me),):
                return self.committed(rows, t, me)
        raise self.unknown_verb(op)

    def committed(self, rows, t, me):
        mine = t[me]
        t[me] = mine._replace(status="committed")
        if mine.wrote >= 0:
            rows = tuple(0 if k == mine.wrote else v for k, v in enumerate(rows))
        return (Outcome((rows, tuple(t)), True),)


def go_off_call(db: Database, me: int, reads: int) -> Program[tuple[str, int]]:
    other = yield db.read(me, reads)
    if other and not (yield db.write(me, me)):
        return ("aborted", other)
    if not (yield db.decide(me)):
        return ("aborted", other)
    if db.commit_as != "atomic":
        yield db.publish(me)
    return ("committed", other)


def serial(results, final, n: int) -> bool:
    done = [k for k in range(n) if (r := results.get(f"t{k}")) and r[0] == "committed"]
    for order in permutations(done):
        rows, ok = [1] * n, True
        for k in order:
            value = rows[(k + 1) % n]
            ok = ok and value == results[f"t{k}"][1]
            if value:
                rows[k] = 0
        if ok and tuple(rows) == final:
            return True
    return False


def build(n: int = 2, commit: Literal["in two steps", "announced", "atomic"] = "in two steps") -> System:
    db = Database(n, commit)
    return System(
        objects=[db],
        processes=[Process(f"t{k}", go_off_call, db, k, (k + 1) % n) for k in range(n)],
        properties=[
            at_end("serialisable", lambda r, s: serial(r, s[db][0], n), reads=[db]),
            at_end("somebody commits", lambda r: not r or any(v[0] == "committed" for v in r.values())),
        ],
    )
