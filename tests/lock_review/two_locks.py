"""Two faults: a recipe that others fetch anew before it is rendered, a stack that others write before it is checked.

All domains share the recipe, and each has a stack of its own. The recipe's lock alone would keep both off, and make
every domain wait for the others' checks; the stack's lock alone does not keep other domains from the recipe.
"""

from typing import Literal

from dstamp_sim import (
    REJECTED,
    Copies,
    LockScope,
    Placement,
    Process,
    Program,
    Register,
    Span,
    System,
    delay,
    each_result,
    section,
)

PLACEMENTS = {
    "own": Placement("own", sets={"stack": "own"}),
    "reject": Placement("reject", (Span("recipe", "render", "deploy", waits=False),)),
    "elsewhere": Placement("elsewhere", (Span("planet", "render", "deploy"),)),
}

recipe = Register("recipe", "whole")


def used(shared: Register, wait: str) -> Program[bool]:
    """Writes in two halves, and finds it whole unless somebody else is in the midst of that."""
    yield shared.write("half")
    yield delay(wait)
    yield shared.write("whole")
    return (yield shared.read()) == "whole"


def run(domain: int, stack: Register) -> Program[tuple[bool, bool]]:
    rendered = yield from section("render", used(recipe, "render"))
    checked = yield from section("deploy", used(stack, "check"))
    return rendered, checked


def build(
    runs: Copies = 2,
    domain: tuple[int, ...] = (1,),
    stack: Literal["shared", "own"] = "shared",
) -> System:
    stacks = {number: Register(f"stack {number}", "whole", private=stack == "own") for number in domain}
    return System(
        objects=[recipe, *stacks.values()],
        processes=[Process(f"run of {number}", run, number, stacks[number], copies=runs) for number in domain],
        properties=[
            each_result("its own recipe is rendered", lambda result: result == REJECTED or result[0]),
            each_result("its own stack is checked", lambda result: result == REJECTED or result[1]),
        ],
        sections=["render", "deploy"],
        locks=[LockScope("recipe"), LockScope("stack", lambda domain, _: f"of {domain}")],
    )
