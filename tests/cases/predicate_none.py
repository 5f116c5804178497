"""A predicate that forgets its return: VIOLATED after 0 steps, and nothing says why."""

from dstamp_sim import Process, Program, Register, System, always

box = Register("box", 0)


def small(state) -> bool:
    state[box] < 9  # noqa: B015 - the return is missing


def work() -> Program[None]:
    yield box.write(1)


def build() -> System:
    return System(objects=[box], processes=[Process("p", work)], properties=[always("small", small, reads=[box])])
