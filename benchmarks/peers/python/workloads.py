"""The workloads as the Python checkers' users would write them: a state, and the moves from it.

A state is a tuple: what is shared first, then one number per process (how far it is). `moves(state)` gives the possible
next states with a name; `bad(state)` whether it breaks the property; `canonical` sorts interchangeable processes.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

State = tuple[int, ...]
NONE, BASE, HEAD = 0, 1, 2


class Workload(NamedTuple):
    initial: State
    fields: tuple[str, ...]
    moves: Callable[[State], Iterator[tuple[str, State]]]
    bad: Callable[[State], bool]
    ended: Callable[[State], bool]
    canonical: Callable[[State], State] | None


def put(state: State, at: int, value: int) -> State:
    return (*state[:at], value, *state[at + 1 :])


def straight(n: int, steps: list[str], *, judged: bool) -> Workload:
    """Runs of one straight program over a lock, a label and a flag (a wrong label was read)."""
    end = len(steps)

    def moves(state: State) -> Iterator[tuple[str, State]]:
        lock, label, wrong = state[:3]
        for at in range(3, 3 + n):
            step = state[at] if state[at] < end else -1
            what = steps[step] if step >= 0 else ""
            shared = (lock, label, wrong)
            if not what or (what == "acquire" and lock):
                continue
            if what in ("acquire", "release"):
                shared = (int(what == "acquire"), label, wrong)
            elif what.startswith("label"):
                shared = (lock, int(what[-1]), wrong)
            elif what == "read" and judged and label == BASE:
                shared = (lock, label, 1)
            yield what, shared + state[3:at] + (step + 1,) + state[at + 1 :]

    return Workload(
        (0, NONE, 0) + (0,) * n,
        ("lock", "label", "wrong", *(f"run{i}" for i in range(n))),
        moves,
        lambda state: state[2] == 1,
        lambda state: all(at == end for at in state[3:]),
        lambda state: state[:3] + tuple(sorted(state[3:])),
    )


def sweep(n: int, *, keep: bool) -> Workload:
    head = ["acquire", *["work"] * 4, f"label{BASE}"]
    tail = [*["work"] * 3, f"label{HEAD}", "work", "work", "read"]
    return straight(n, head + tail + ["release"] if keep else [*head, "release", *tail], judged=False)


def cc_ci(n: int, *, safe: bool) -> Workload:
    deploy = ["work", "work", "acquire", *["work"] * 6, f"label{BASE}"]
    upgrade = [*["work"] * 7, f"label{HEAD}", "work", "read"]
    teardown = ["work", f"label{NONE}"]
    middle = [*upgrade, "release"] if safe else ["release", *upgrade]
    return straight(n, deploy + middle + teardown, judged=safe)


def philosophers(n: int, *, ordered: bool) -> Workload:
    seats = [(i, (i + 1) % n) for i in range(n)]
    if ordered:
        seats = [(min(seat), max(seat)) for seat in seats]

    def moves(state: State) -> Iterator[tuple[str, State]]:
        for i, (first, second) in enumerate(seats):
            at = state[n + i]
            if at < 2 and not state[(first, second)[at]]:
                yield f"take {i}", put(put(state, (first, second)[at], 1), n + i, at + 1)
            elif at == 2:
                yield f"eat {i}", put(state, n + i, 3)
            elif at in (3, 4):
                yield f"put {i}", put(put(state, (second, first)[at - 3], 0), n + i, at + 1)

    def ended(state: State) -> bool:
        return all(at == 5 for at in state[n:])

    def stuck(state: State) -> bool:
        return not ended(state) and next(moves(state), None) is None

    names = (*(f"fork{i}" for i in range(n)), *(f"philosopher{i}" for i in range(n)))
    return Workload((0,) * (2 * n), names, moves, stuck, ended, None)


def two_phase_commit(n: int) -> Workload:
    """Votes and heard votes as bits; a manager is at 0 working, 1 prepared, 2 committed, 3 aborted."""
    everybody = (1 << n) - 1

    def moves(state: State) -> Iterator[tuple[str, State]]:
        voted, heard, decision = state[:3]
        for i in range(n):
            if state[3 + i] == 0:
                yield f"vote {i}", put(put(state, 0, voted | 1 << i), 3 + i, 1)
                yield f"refuse {i}", put(state, 3 + i, 3)
            elif state[3 + i] == 1 and decision:
                yield f"learn {i}", put(state, 3 + i, 1 + decision)
            if not decision and (voted & ~heard) >> i & 1:
                yield f"hear {i}", put(state, 1, heard | 1 << i)
        if not decision:
            yield "give up", put(state, 2, 2)
            if heard == everybody:
                yield "commit", put(state, 2, 1)

    def canonical(state: State) -> State:
        managers = sorted((state[3 + i], state[0] >> i & 1, state[1] >> i & 1) for i in range(n))
        voted = sum(vote << i for i, (_, vote, _) in enumerate(managers))
        heard = sum(seen << i for i, (_, _, seen) in enumerate(managers))
        return (voted, heard, state[2], *(at for at, _, _ in managers))

    return Workload(
        (0,) * (3 + n),
        ("voted", "heard", "decision", *(f"manager{i}" for i in range(n))),
        moves,
        lambda state: 2 in state[3:] and 3 in state[3:],
        lambda state: all(at > 1 for at in state[3:]),
        canonical,
    )


WORKLOADS: dict[str, Callable[[int], Workload]] = {
    "sweep": lambda n: sweep(n, keep=False),
    "sweep-kept": lambda n: sweep(n, keep=True),
    "cc-ci": lambda n: cc_ci(n, safe=False),
    "cc-ci-safe": lambda n: cc_ci(n, safe=True),
    "philosophers": lambda n: philosophers(n, ordered=False),
    "philosophers-ordered": lambda n: philosophers(n, ordered=True),
    "two-phase-commit": two_phase_commit,
}
