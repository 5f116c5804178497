"""A lock that lapses under its holder, and a file that refuses whoever has an older token than it has seen.

Martin Kleppmann, "How to do distributed locking" (2016): the fencing token.
"""

from dstamp_sim import Lease, Process, Program, Store, System, at_end, delay

lock, file = Lease("lock"), Store("file", 0)


def client() -> Program[int]:
    token: int = yield lock.acquire()
    yield delay("work")
    wrote = yield file.put_fenced(token, token)
    yield lock.release(token)
    return token if wrote else 0


def build(clients: int = 2) -> System:
    return System(
        objects=[lock, file],
        processes=[
            Process("client", client, copies=clients),
            Process("ttl", lock.lapses, daemon=True),
        ],
        properties=[
            at_end(
                "no later holder is written over",
                lambda wrote, state: state[file].value >= max(wrote.values(), default=0),
                reads=[file],
            )
        ],
    )
