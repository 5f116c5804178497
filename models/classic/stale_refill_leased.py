"""A cache that is filled only if nobody changed or invalidated the entry since the reader missed it.

Nishtala and others, "Scaling Memcache at Facebook" (2013): the lease that a miss returns.
"""

from dstamp_sim import Process, Program, Store, System, at_end

database, cache = Store("database", "old"), Store("cache")


def read() -> Program[str]:
    entry = yield cache.get()
    if entry.value is None:
        found = yield database.get()
        yield cache.put_if(entry.number, found.value)
        return found.value
    return entry.value


def write() -> Program[None]:
    yield database.put("new")
    yield cache.put(None)


def build(readers: int = 1) -> System:
    return System(
        objects=[database, cache],
        processes=[Process("reader", read, copies=readers), Process("writer", write)],
        properties=[
            at_end(
                "the cache is empty or up to date",
                lambda ended, state: "writer" not in ended or state[cache].value in (None, state[database].value),
                reads=[cache, database],
            )
        ],
    )
