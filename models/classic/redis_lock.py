"""A lock that lapses under its holder: a client pauses, another takes the lock, and the first one writes after it.

Martin Kleppmann, "How to do distributed locking" (2016): SET key token NX PX ttl, and a pause of the garbage collector.
"""

from dstamp_sim import Lease, Process, Program, Store, System, at_end, delay

lock, file = Lease("lock"), Store("file", 0)


def client() -> Program[int]:
    token: int = yield lock.acquire()
    yield delay("work")
    yield file.put(token)
    yield lock.release(token)
    return token


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
