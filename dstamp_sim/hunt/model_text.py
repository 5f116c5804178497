"""A seen model as Python: objects, a function for each run, the ends that passed and failed."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from dstamp_sim.core.numbers import many
from dstamp_sim.hunt.seen_events import SeenCall
from dstamp_sim.hunt.seen_model import SeenBranch, SeenModel, result_of, word_of

_OBJECTS = '''\
from dstamp_sim import Flock, GitCheckout, Worktree
from dstamp_sim import Op, Outcome, Process, Program, SharedObject, System, at_end, section

ABSENT, UNSEEN = "absent", "no trial showed it"


class SeenFile(SharedObject):
    """A file by its content, in a few characters; a call makes UNSEEN of what it was not seen to meet."""

    def read(self, call: str) -> Op:
        """Returns the content."""
        return self.op(call, "read")

    def call(self, call: str, made: dict[str, str] | None = None) -> Op:
        """Makes of each content what `made` says, or leaves it; returns whether there was a file."""
        return self.op(call, "call", *sorted((made or {}).items()))

    def outcomes(self, state: str, op: Op) -> tuple[Outcome, ...]:
        kind, *made = op.args
        after = dict(made).get(state, UNSEEN) if made else state
        return (Outcome(after, state if kind == "read" else state != ABSENT),)


def calls(*ops: Op) -> Program[object]:
    """Performs calls, one after the other; returns what the last one returns."""
    for op in ops:
        found = yield op
    return found
'''


NOT_AS_FOUND = "it does not end as found"
"""The property that the end of what a hunt found breaks."""


def model_text(model: SeenModel) -> str:
    """The model as a Python file."""
    names = _Names(model)
    return "\n\n".join([
        _said(model) + _OBJECTS,
        "\n".join(names.made()) + "\n",
        *(_run(model.runs[run], run, names) for run in model.runs),
        f"FOUND = {model.found!r}\n" + _set("PASSED", model.passed) + _set("FAILED", model.failed),
        _build(model, names),
    ])  # fmt: skip


def _said(model: SeenModel) -> str:
    """The docstring."""
    lines = [f"    {run}: {command}" for run, command in model.job.runs.items()]
    lines += [
        "",
        "A skeleton: each run does what it was seen to do after what it had learnt. UNSEEN is what no trial showed.",
    ]
    if model.odd:
        lines += [f"Not modelled: {many(model.odd, 'trial')} in which something depended on what is not in here."]
    if both := len(model.passed & model.failed):
        lines += [f"Not judged: {many(both, 'end')} that passed in one trial and failed in another."]
    told = "\n".join(lines).replace("\\", "/").replace('"', "'")
    return f'"""What {many(model.trials, "trial")} of `dstamp hunt` showed.\n\n{told}\n"""\n\n'


class _Names:
    """What each thing is called in the file."""

    def __init__(self, model: SeenModel) -> None:
        self.model, self.of = model, dict[tuple[str, str], str]()
        things = model.things
        for kind, names in (("file", things.files), ("lock", things.locks), ("checkout", things.checkouts)):
            for name in names:
                plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
                wanted = f"{kind}_{plain}" if plain else kind
                self.of[kind, name] = f"{wanted}_{len(self.of)}" if wanted in self.of.values() else wanted

    def made(self) -> Iterator[str]:
        """The lines that make the things."""
        things = self.model.things
        for name, content in things.files.items():
            yield f"{self.of['file', name]} = SeenFile({name!r}, {content!r})"
        for name in things.locks:
            yield f"{self.of['lock', name]} = Flock({f'flock of {name}'!r})"
        for name, head in things.checkouts.items():
            made = f"Worktree(head={head!r}, tree={head!r})"
            yield f"{self.of['checkout', name]} = GitCheckout({f'checkout {name}'!r}, {made})"


def _run(branch: SeenBranch, run: str, names: _Names) -> str:
    lines = [f"def run_{run}() -> Program[str]:", *(f"    {line}" for line in _lines(branch, names, ()))]
    return "\n".join(lines) + "\n"


def _lines(branch: SeenBranch, names: _Names, learnt: tuple[str, ...]) -> Iterator[str]:
    """What a run does from a branch on, having learnt so much."""
    if branch.call is None:
        yield "return UNSEEN" if branch.exit is None else f"return {result_of(branch.exit, learnt)!r}"
        return
    section, ops = branch.call.section, list[str]()
    while True:
        ops.append(_op(branch, names))
        following = [*branch.then.values()]
        goes_on = not _asks(branch) and following[0].call is not None and following[0].call.section == section
        if not goes_on:
            break
        branch = following[0]
    performed = f"yield from section({section!r}, calls({', '.join(ops)}))"
    if not _asks(branch):
        yield performed
        yield from _lines(following[0], names, learnt)
        return
    yield f"found = {performed}"
    if len(branch.then) == 1:
        (key,) = branch.then
        yield f"if found != {_returned(branch.call, key)!r}:"
        yield "    return UNSEEN"
        yield from _lines(following[0], names, learnt)
        return
    for key, then in branch.then.items():
        yield f"if found == {_returned(branch.call, key)!r}:"
        yield from (f"    {line}" for line in _lines(then, names, (*learnt, word_of(key))))
    yield "return UNSEEN"


def _asks(branch: SeenBranch) -> bool:
    """Whether what a run does next depends on what its call returns; it may return what no trial showed."""
    assert branch.call is not None
    tells = branch.call.verb in ("read", "begin_checkout", "head") or (
        branch.call.kind == "file" and not branch.changes
    )
    return len(branch.then) > 1 or tells


def _returned(call: SeenCall | None, key: Hashable) -> Hashable:
    """What the object returns for what was learnt: a lock that was refused is None."""
    return (1 if key else None) if call is not None and call.kind == "lock" else key


def _op(branch: SeenBranch, names: _Names) -> str:
    call = branch.call
    assert call is not None
    name, args = names.of[call.kind, call.target], ", ".join(map(repr, call.args))
    if call.kind == "lock":
        verb = "try_acquire" if False in branch.then else call.verb
        return f"{name}.{verb}({'1' if verb == 'release' else ''})"
    if branch.changes:
        args += f", {dict(sorted(branch.made.items()))!r}"
    return f"{name}.{call.verb}({args})"


def _set(name: str, ends: set[tuple[str, ...]]) -> str:
    lines = "".join(f"    {end!r},\n" for end in sorted(ends))
    return f"{name} = {{\n{lines}}}\n" if ends else f"{name} = set()\n"


def _build(model: SeenModel, names: _Names) -> str:
    files = [names.of["file", name] for name in model.things.files]
    given = "results, state" if files else "results"
    reads = f", reads=[{', '.join(files)}]" if files else ""
    judged = [
        *([(NOT_AS_FOUND, "!= FOUND")] if model.found else []),
        *([("no end is one that failed", "not in FAILED")] if model.failed else []),
        ("every end is one that trials judged", "in PASSED ^ FAILED"),
    ]
    sections = dict.fromkeys(call.section for branch in model.runs.values() for call in branch.calls())
    ends = [f"results[{run!r}]" for run in model.runs] + [f"state[{file}]" for file in files]
    return "\n".join([
        f"def end({given}):",
        f"    return ({', '.join(ends)})",
        "",
        "",
        "def build() -> System:",
        "    return System(",
        f"        objects=[{', '.join(names.of.values())}],",
        f"        processes=[{', '.join(f'Process({run!r}, run_{run})' for run in model.runs)}],",
        "        properties=[",
        *(f"            at_end({name!r}, lambda {given}: end({given}) {rule}{reads})," for name, rule in judged),
        "        ],",
        f"        sections={tuple(sections)!r},",
        "    )",
        "",
    ])  # fmt: skip
