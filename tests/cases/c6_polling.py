"""A retry without bound under another's lock: polling instead of blocking."""

from dstamp_sim import Process, Program, Register, System, each_result

r = Register("lockfile", "free")


def p() -> Program[str]:
    while not (yield r.compare_and_set("free", "taken")):
        pass
    yield r.write("free")
    return "done"


def build() -> System:
    return System(
        objects=[r], processes=[Process("p", p, copies=2)], properties=[each_result("x", lambda v: v == "done")]
    )
