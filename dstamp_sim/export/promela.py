"""A machine in Promela, the language of SPIN, as a person would write it.

A class of processes is one proctype, whose local states are places in its text; a shared object is a global variable of
numbered states. A step is one statement, or one `d_step` where it must look, write and be judged at once. So the only
states are those between steps, delays are statements that SPIN may merge, and steps that touch nothing shared are safe
for its partial-order reduction. Properties are assertions after whatever may decide them; freedom from deadlock is
SPIN's own check for invalid end states.

Processes that have ended stay where they are, as SPIN would otherwise count the order in which they are removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dstamp_sim.core.escaping import harmless
from dstamp_sim.core.properties import PropertyKind
from dstamp_sim.export.machine import (
    CELL,
    COUNT,
    RESULT,
    Branch,
    CheckedProperty,
    Guard,
    Machine,
    ProcessType,
    Split,
    Stand,
    Variable,
)

_RESERVED_WORDS = """
active assert atomic bit bool break byte c_code c_decl c_expr c_state c_track chan check d_proctype d_step deaths do
else empty enabled ended eval false fi for full get_priority goto hidden if in init initially inline int len local
ltl mtype nempty never nfull no_more_deaths np_ od of pc_value pid printf printm priority proctype provided result
return run select set_priority short show skip timeout trace true typedef unless unsigned xr xs auto case char const
continue default double enum extern float long register signed sizeof static struct switch union void volatile while
ONLY CRASHES COUNTS initially bounded claimname cnt compress crack depth done endstate errno errors exclusive
fairness fragment freq grow gui hasher have iterative left linux main mask max maxdepth memcnt memlim minseq mix now
nstates onlyproc pp quota reached retrans reversing settable settr signoff silent smax snap ssize stack stderr stdin
stdout stopped strict trail trans truncs uchar uint ulong unix upto usage ushort verbose visstate vsize warned
wasnew wrapup always equivalent eventually implies next release stronguntil until weakuntil
"""

RESERVED = frozenset(_RESERVED_WORDS.split())
"""Words of Promela, of C, of the C program that SPIN makes, and those that every written model uses."""

HEAD = """\
/* {name}, written by dstamp.
 *
 * spin -a {{this file}} && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m1000000
 *
 * judges every property: a failed assertion (k!=k...) is about the k-th below, an invalid end state is a deadlock.
 * With -DONLY=k, spin keeps the k-th alone; pan -E passes over deadlocks. For the states that dstamp explore counts
 * with --no-merge --no-por --no-symmetry (if this was written with --no-merge): spin -a -o1 -o2 -o3 -DCOUNTS, and
 * gcc -DNOREDUCE. A formula (ltl) is judged by gcc without -DSAFETY, and pan -a -f -N its name; without formulas, gcc
 * -DNOCLAIM.
 */
"""

FORMULAS = {
    PropertyKind.EVENTUALLY: "<> goal_{k}",
    PropertyKind.LEADS_TO: "[] (start_{k} -> <> goal_{k})",
    PropertyKind.ALWAYS_EVENTUALLY: "[] <> goal_{k}",
}
"""What must come in time, as formulas; all processes are weakly fair (pan -f)."""

CHECK = """
#ifdef ONLY
#define check(k, holds) assert(k != ONLY || (holds))
#else
#define check(k, holds) assert(k != k || (holds))
#endif
"""

NO_MORE_DEATHS = """
/* dstamp calls it a deadlock where processes can only die; SPIN does once deaths may cease as well. */
#ifndef COUNTS
active proctype no_more_deaths() {
end_0:
    d_step { deaths < CRASHES -> deaths = CRASHES };
end_1:
    false
}
#endif
"""

INITIALLY = """
/* What the initial state decides. */
#ifndef COUNTS
active proctype initially() {{
    d_step {{ true; {checks} }};
end_0:
    false
}}
#endif"""


def promela(machine: Machine) -> str:
    """The Promela text of `machine`, in ASCII; the same machine returns the same text."""
    return "\n".join(_PromelaWriter(machine).lines()) + "\n"


class _PromelaWriter:
    """Writes one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.asked = {k: q for k, q in enumerate(machine.questions) if q.decided_when is not False}
        looked_at = {variable for q in self.asked.values() for variable in _looked_at(q.decided_when)}
        self.counts = any(variable.of == COUNT for variable in looked_at)
        self.told_apart = any(variable.of == RESULT for variable in looked_at)
        self.ends_matter = any(q.kind is PropertyKind.AT_END for q in self.asked.values())
        names = Identifiers(RESERVED)
        self.cells = [names.given(cell.name) for cell in machine.cells]
        self.checks = {k: names.given(question.name) for k, question in enumerate(machine.questions)}
        self.proctypes = [names.given(klass.name) for klass in machine.classes]

    def lines(self) -> Iterator[str]:
        yield HEAD.format(name=comment(self.machine.name))
        if self.machine.crashes:
            yield f"#define CRASHES {self.machine.crashes}\nbyte deaths = 0;"
        yield from self._globals()
        yield from self._properties()
        for name, klass in zip(self.proctypes, self.machine.classes, strict=True):
            yield ""
            yield from _Body(self, name, klass).lines()
        yield from self._in_time()
        yield from self._initially()
        deadlock = any(question.kind is PropertyKind.NO_DEADLOCK for question in self.machine.questions)
        if self.machine.crashes and deadlock:
            yield NO_MORE_DEATHS

    def _globals(self) -> Iterator[str]:
        for name, cell in zip(self.cells, self.machine.cells, strict=True):
            kind = "byte" if len(cell.states) <= 256 else "short"
            states = ", ".join(f"{number}: {state}" for number, state in enumerate(cell.states))
            yield f"{kind} {name} = {cell.initial};  /* {comment(states)} */"
        results = ", ".join(f"{number}: {result}" for number, result in enumerate(self.machine.results))
        for number, result in enumerate(self.machine.results) if self.counts else ():
            already = self._already({number})
            yield f"byte ended_with_{number} = {already};  /* how many processes: {comment(result)} */"
        if self.told_apart:
            everybody = sum(klass.copies for klass in self.machine.classes)
            yield f"byte result[{everybody}];  /* by process, plus one; {comment(results)} */"
        if self.ends_matter:
            already = self._already(set(range(len(self.machine.results))))
            yield f"byte ended = {already};  /* processes that have ended or died */"

    def _already(self, results: set[int]) -> int:
        """How many processes have one of `results` before they do anything."""
        starts = [(klass.copies, klass.stands[klass.start]) for klass in self.machine.classes if not klass.daemon]
        return sum(copies for copies, stand in starts if stand.ended and stand.result in results)

    def _properties(self) -> Iterator[str]:
        yield CHECK
        for k, question in enumerate(self.machine.questions):
            yield f"/* {k}: {comment(f'{question.kind.value}: {question.name}')} */"
            if k in self.asked:
                yield f"#define {self.checks[k]}() check({k}, {self._holds(question)})"

    def _in_time(self) -> Iterator[str]:
        """The properties in time, as formulas."""
        for k, question in enumerate(self.machine.questions):
            if question.kind in FORMULAS:
                name, goal, start = self.checks[k], self.condition(question.goal), self.condition(question.start)
                yield f"\n#define goal_{k} ({goal})\n#define start_{k} ({start})"
                yield f"ltl {name} {{ {FORMULAS[question.kind].format(k=k)} }}"

    def _holds(self, question: CheckedProperty) -> str:
        bad = self.condition(question.decided_when)
        waits = f"ended < {self.machine.must_end} || " if question.kind is PropertyKind.AT_END else ""
        return f"{waits}!({bad})"

    def condition(self, condition: Guard) -> str:
        """A condition as an expression."""
        if not isinstance(condition, Split):
            return "true" if condition else "false"
        subject = self._subject(condition.variable)
        every = [value for values, _ in condition.branches for value in values]
        parts = []
        for values, branch in condition.branches:
            if branch is not False:
                test = among(subject, values, every)
                parts.append(test if branch is True else f"({test}) && ({self.condition(branch)})")
        return " || ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]

    def _subject(self, variable: Variable) -> str:
        if variable.of == CELL:
            return self.cells[variable.number]
        return f"ended_with_{variable.number}" if variable.of == COUNT else f"result[{variable.number}]"

    def triggered(self, cells: Iterable[int], *, ends: bool) -> list[str]:
        """The checks after a step that wrote `cells`, or that ended a process."""
        written = set(cells)
        return [
            f"{self.checks[k]}()"
            for k, question in self.asked.items()
            if written.intersection(question.reads)
            or (ends and question.kind in (PropertyKind.AT_END, PropertyKind.REACHABLE))
        ]

    def _initially(self) -> Iterator[str]:
        """A process that fails the checks that the initial state fails, if there are any."""
        refuted = {k for klass in self.machine.classes for k in klass.stands[klass.start].refutes}
        decided = sorted({k for k, question in self.asked.items() if self._decided_at_once(question)} | refuted)
        if decided:
            yield INITIALLY.format(checks="; ".join(f"check({k}, false)" for k in decided))

    def _decided_at_once(self, question: CheckedProperty) -> bool:
        condition = question.decided_when
        while isinstance(condition, Split):
            of, number = condition.variable
            value = {CELL: lambda n: self.machine.cells[n].initial, COUNT: lambda n: self._already({n})}
            known = value.get(of, lambda _: 0)(number)
            condition = next((branch for values, branch in condition.branches if known in values), False)
        everybody = self._already(set(range(len(self.machine.results))))
        return condition and (question.kind is not PropertyKind.AT_END or everybody == self.machine.must_end)


class _Body:
    """Writes one proctype: its stands in an order that needs few jumps."""

    def __init__(self, writer: _PromelaWriter, name: str, klass: ProcessType) -> None:
        self.writer, self.name, self.klass = writer, name, klass
        self.order = _order(klass)
        self.mortal = klass.killable and writer.machine.crashes > 0
        self.options = {number: list(self._options(number)) for number in self.order}

    def lines(self) -> Iterator[str]:
        """The proctype's text."""
        many = f" [{self.klass.copies}]" if self.klass.copies != 1 else ""
        yield f"active{many} proctype {self.name}() {{"
        following = dict(zip(self.order, [*self.order[1:], None], strict=True))
        jumps = {
            to for number in self.order for _, to in self.options[number] if to is not None and to != following[number]
        }
        for number in self.order:
            yield from self._stand(number, following[number], labelled=number in jumps)
        yield "}"

    def _stand(self, number: int, after: int | None, *, labelled: bool) -> Iterator[str]:
        stand, last = self.klass.stands[number], after is None
        labelled = labelled or stand.rests
        if labelled:
            yield f"{self._label(number)}:"
        about = f"  /* {comment(stand.about)} */"
        options = [
            (text, "" if to is None or to == after else f" goto {self._label(to)}") for text, to in self.options[number]
        ]
        text, jump = options[0]
        if len(options) == 1 and not (labelled and text.startswith("d_step")):  # SPIN refuses jumps to a d_step
            yield f"    {text};{jump}".rstrip(";") + ("" if last else ";") + about
            return
        yield f"    if{about}"
        for text, jump in options:
            yield f"    :: {text}{';' if jump else ''}{jump}"
        yield "    fi" if last else "    fi;"

    def _label(self, number: int | None) -> str:
        assert number is not None
        return f"{'end' if self.klass.stands[number].rests else 'at'}_{self.order.index(number)}"

    def _options(self, number: int) -> Iterator[tuple[str, int | None]]:
        """The possible steps here, as statements, each with the stand after it."""
        stand = self.klass.stands[number]
        if stand.ended:
            yield "false", None
            return
        for way in stand.ways:
            yield from self._way(number, stand, way)
        if self.mortal:
            yield self._death(stand), self.klass.dead
        if not stand.ways and not self.mortal:
            yield "false", None  # no process ever goes on from here

    def _way(self, number: int, stand: Stand, way: Branch) -> Iterator[tuple[str, int]]:
        cell = "" if stand.cell is None else self.writer.cells[stand.cell]
        for states, change in _groups(cell, way):
            guard = "" if set(states) == set(stand.met) else among(cell, states, stand.met)
            step = self._step(guard, change, way.to, stand.cell if change else None)
            loop = step == "skip" and way.to == number
            yield ("_nr_pr > 0" if loop else step), way.to  # SPIN refuses a loop of a skip alone

    def _step(self, guard: str, change: str, to: int, written: int | None) -> str:
        """One step: look, write, and check the properties that it may decide, at once."""
        after = self.klass.stands[to]
        ends = after.ended and not self.klass.daemon
        statements = [change] if change else []
        if ends:
            statements += self._ending(after)
        statements += self.writer.triggered([] if written is None else [written], ends=ends)
        return _at_once(guard, statements)

    def _ending(self, after: Stand) -> list[str]:
        writer = self.writer
        given = [f"ended_with_{after.result}++"] if writer.counts else []
        given += [f"result[_pid] = {(after.result or 0) + 1}"] if writer.told_apart else []
        given += ["ended++"] if writer.ends_matter else []
        return given + [f"check({k}, false)" for k in after.refutes]

    def _death(self, stand: Stand) -> str:
        statements, written = ["deaths++"], []
        for loss in stand.losses:
            changes = {before: after for before, after in loss.after.items() if before != after}
            if changes:
                statements.append(_lost(self.writer.cells[loss.cell], changes))
                written.append(loss.cell)
        if self.writer.ends_matter and not self.klass.daemon:
            statements.append("ended++")
        checks = self.writer.triggered(written, ends=not self.klass.daemon)
        return _at_once("deaths < CRASHES", statements + checks)


def _order(klass: ProcessType) -> list[int]:
    """The stands, each followed by one of those that it leads to where possible; with those of a start or a death."""
    placed: dict[int, None] = {}
    waiting = [klass.start]
    while waiting:
        number = waiting.pop()
        if number in placed or number not in klass.stands:
            continue
        placed[number] = None
        stand = klass.stands[number]
        if stand.losses or (klass.killable and klass.dead in klass.stands):
            waiting.insert(0, klass.dead)
        waiting.extend(way.to for way in reversed(stand.ways))
    return list(placed)


def _groups(cell: str, way: Branch) -> Iterator[tuple[tuple[int, ...], str]]:
    """The states in which a way does the same to its cell, each with the statement that does it (empty: nothing)."""
    steps = {after - before for before, after in zip(way.when, way.after, strict=True)}
    if len(steps) == 1 and len(way.when) > 1 and steps != {0}:
        (step,) = steps
        yield way.when, f"{cell} = {cell} {'+' if step > 0 else '-'} {abs(step)}"
        return
    if not way.when:
        yield (), ""
        return
    grouped: dict[str, list[int]] = {}
    for before, after in zip(way.when, way.after, strict=True):
        constant = len(set(way.after)) == 1 and len(way.when) > 1
        change = "" if before == after and not constant else f"{cell} = {after}"
        grouped.setdefault(change, []).append(before)
    yield from ((tuple(states), change) for change, states in grouped.items())


def among(subject: str, values: Sequence[int], every: Sequence[int]) -> str:
    """The test whether `subject`, which is one of `every`, is one of `values`."""
    others = [value for value in every if value not in values]
    if not others:
        return "true"
    if len(others) < len(values):
        return " && ".join(f"{subject} != {value}" for value in others)
    return " || ".join(f"{subject} == {value}" for value in values)


def _at_once(guard: str, statements: Sequence[str]) -> str:
    if not statements:
        return guard or "skip"
    if len(statements) == 1 and not guard:
        return statements[0]
    return "d_step { " + (f"{guard} -> " if guard else "") + "; ".join(statements) + " }"


def _lost(cell: str, changes: dict[int, int]) -> str:
    value = cell
    for before, after in changes.items():
        value = f"({cell} == {before} -> {after} : {value})"
    return f"{cell} = {value}"


def _looked_at(condition: Guard) -> Iterator[Variable]:
    if isinstance(condition, Split):
        yield condition.variable
        for _, branch in condition.branches:
            yield from _looked_at(branch)


class Identifiers:
    """Makes identifiers of ASCII letters, digits and underscores: each only once, and none that is reserved."""

    def __init__(self, reserved: frozenset[str]) -> None:
        self._taken = set(reserved)

    def given(self, name: str) -> str:
        """The identifier for a name, at most 40 characters of it; the same calls return the same identifiers."""
        plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:40] or "unnamed"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        chosen, number = plain, 1
        while chosen in self._taken:
            number += 1
            chosen = f"{plain}_{number}"
        self._taken.add(chosen)
        return chosen


def comment(words: str) -> str:
    """Words for inside a C comment, on one line of ASCII, shortened if they are long."""
    ascii_only = harmless(words).encode("ascii", "backslashreplace").decode("ascii")
    safe = " ".join(ascii_only.replace("*/", "* /").replace("/*", "/ *").split())
    return safe if len(safe) <= 400 else safe[:399] + "~"
