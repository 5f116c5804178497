"""Mermaid's sequence diagram, as GitHub and GitLab draw it in a pull request: processes left, objects right.

Only steps that tell the story: steps of the explanation, steps that took or released a lock, and steps that changed a
shared object; others are counted in a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dstamp_sim.core.escaping import on_one_line
from dstamp_sim.core.numbers import many
from dstamp_sim.core.trace import Step, Trace
from dstamp_sim.core.value import text
from dstamp_sim.rendering.timeline.annotations import Annotations

MOST_MESSAGES = 60
"""How many steps are shown at most: the last ones that tell the story."""
_LONGEST_WORDS = 120


def mermaid(trace: Trace, annotations: Annotations) -> str:
    """The diagram; its notes say what it left out."""
    telling = [n for n, step in enumerate(trace.steps) if _tells(n, step, annotations)]
    shown = telling[-MOST_MESSAGES:]
    objects = list(dict.fromkeys(str(trace.steps[n].touched) for n in shown if trace.steps[n].touched))
    names = {name: f"P{n}" for n, name in enumerate(trace.processes)} | {
        f"@{name}": f"O{n}" for n, name in enumerate(objects)
    }
    lines = [
        "%%{init: {'sequence': {'wrap': true}}}%%",
        "sequenceDiagram",
        *([f"  accTitle: {escaped(annotations.sentence)}"] if annotations.sentence else []),
    ]
    lines += [f"  participant {names[name]} as {escaped(name)}" for name in trace.processes]
    lines += [f"  participant {names[f'@{name}']} as {escaped(name)}" for name in objects]
    everyone = f"{names[trace.processes[0]]},{[*names.values()][-1]}"
    if shown and shown[0]:
        lines.append(
            f"  Note over {everyone}: the first {many(shown[0], 'step')} {'are' if shown[0] > 1 else 'is'} left out"
        )
    lines += _messages(trace, annotations, shown, names)
    if annotations.sentence:
        lines.append(f"  Note over {everyone}: {escaped(annotations.sentence, 2_000)}")
    return "\n".join(lines) + "\n"


def _messages(trace: Trace, annotations: Annotations, shown: Sequence[int], names: dict[str, str]) -> Iterator[str]:
    window = annotations.window
    left_out = 0
    shaded = False
    for number in range(shown[0] if shown else 0, len(trace.steps)):
        step = trace.steps[number]
        if window and number == window[1]:
            yield "  rect rgb(253, 224, 217)"
            shaded = True
        if number in shown:
            if left_out:
                yield f"  Note right of {names[step.process]}: {left_out} step{'' if left_out == 1 else 's'} in between"
            yield from _message(number, step, annotations, names)
            left_out = 0
        else:
            left_out += 1
        if window and number == window[2] and shaded:
            yield "  end"
            shaded = False
    if shaded:
        yield "  end"


def _message(number: int, step: Step, annotations: Annotations, names: dict[str, str]) -> Iterator[str]:
    me = names[step.process]
    mark = "⚠ " if number in (annotations.write, annotations.reads) else ""
    if step.op is None:
        yield f"  Note over {me}: dies"
        return
    it = names[f"@{step.touched}"] if step.touched else me
    args = ", ".join(text(arg) for arg in step.op.args)
    where = f"{step.section}: " if step.section else ""
    yield f"  {me}->>{it}: {number + 1} {mark}{escaped(f'{where}{step.op.verb}({args})')}"
    if step.result is not None and step.touched:
        yield f"  {it}-->>{me}: {escaped(text(step.result))}"


def _tells(number: int, step: Step, annotations: Annotations) -> bool:
    pointed = {annotations.write, annotations.reads, *(annotations.window[1:] if annotations.window else ())}
    pointed |= {n for link in annotations.cycle for n in (link.source, link.target)}
    private = step.touched is not None and step.op is not None and step.op.target is not None and step.op.target.private
    changed = bool(step.changes) and not private
    return number in pointed or changed or bool(step.taken or step.dropped) or step.op is None


def escaped(words: str, longest: int = _LONGEST_WORDS) -> str:
    """Words as Mermaid reads them in a message: syntax and markup become entity codes."""
    short = on_one_line(words)
    short = short if len(short) <= longest else f"{short[: longest - 1]}…"
    return re.sub(r"[#;<>:%{}\\]", lambda found: f"#{ord(found[0])};", short)
