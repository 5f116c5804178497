"""A lock that a daemon lets expire. Whose lock do I see?"""

from dstamp_sim import Counter, Process, Program, Register, System, always, each_result

owner = Register("owner", 0)
inside = Counter("inside")


def node(me: int) -> Program[str]:
    if not (yield owner.compare_and_set(0, me)):
        return "busy"
    yield inside.add(1)
    yield inside.add(-1)
    return "mine" if (yield owner.read()) in (me, 0) else "another's"


def ttl() -> Program[None]:
    yield owner.write(0)


def build() -> System:
    return System(
        objects=[owner, inside],
        processes=[Process("first", node, 1), Process("second", node, 2), Process("ttl", ttl, daemon=True)],
        properties=[
            always("one at a time", lambda s: s[inside] <= 1, reads=[inside]),
            each_result("nobody sees another's", lambda r: r != "another's"),
        ],
    )
