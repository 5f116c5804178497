"""What breaks a rule of models, and the complaint about it: for the tests of the rules."""

import inspect

import pytest

from dstamp_sim import (
    Chance,
    ModelError,
    Process,
    Register,
    System,
    explore,
)

TIMES = 100

x, y, coin = Register("x", 0), Register("y", 0), Chance("coin", "heads", "tails")


def system(program, *args, objects=(), copies=1, **more) -> System:
    return System(objects=[x, y, coin, *objects], processes=[Process("p", program, *args, copies=copies)], **more)


def complaint(asked: System) -> str:
    with pytest.raises(ModelError) as refused:
        explore(asked)
    return str(refused.value)


def line_of(function, text: str) -> str:
    """`file:line: ` of the line of `function` that holds `text`."""
    lines, start = inspect.getsourcelines(function)
    (offset,) = [number for number, line in enumerate(lines) if text in line]
    return f"{inspect.getsourcefile(function)}:{start + offset}: "


def always_refused(make) -> str:
    """What every one of 100 explorations of the systems that `make` makes complains of; they say the same place."""
    said = {complaint(make()) for _ in range(TIMES)}
    assert len({text.partition(": ")[0] for text in said}) == 1, said
    return said.pop()
