"""A cache is filled with what the database had before: a reader looks, a writer changes and invalidates, it fills.

Nishtala and others, "Scaling Memcache at Facebook" (2013): the stale set.
"""

from dstamp_sim import Process, Program, Store, System, at_end

database, cache = Store("database", "old"), Store("cache")


def read() -> Program[str]:
    entry = yield cache.get()
    if entry.value is None:
        found = yield database.get()
        yield cache.put(found.value)
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
