"""Dependencies between the runs of a trace, and the cycles that they form.

A run is seen as a transaction. `wr`: one reads what another wrote; `ww`: one overwrites what another wrote; `rw`: one
overwrites what another had read. A cycle of them means that no serial order of the runs explains what they saw.
Names after Adya, "Weak consistency" (1999), and Berenson et al., "A critique of ANSI SQL isolation levels" (1995).
Steps that take or release a lock write, but no step depends on them; daemons are the environment, and lie on cycles
only between runs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from dstamp_sim.analyses.accesses import Accesses
from dstamp_sim.analyses.fields import Location
from dstamp_sim.core.trace import Step, Trace

if TYPE_CHECKING:
    import networkx as nx


class DependencyKind(Enum):
    """The kinds of dependency, in the order in which a cycle's edges are preferred."""

    WW = "ww"
    WR = "wr"
    RW = "rw"


@dataclass(frozen=True)
class Dependency:
    """Step `target` of one process depends on step `source` of another, through `location`."""

    kind: DependencyKind
    location: Location
    source: int
    target: int


@dataclass(frozen=True)
class Cycle:
    """Dependencies that lead from a run back to itself through another one.

    `name` is the anomaly in the literature's words: lost update, write skew, G0, G1c, G-single or G2.
    """

    name: str
    edges: tuple[Dependency, ...]


class Conflicts:
    """The dependencies of a trace. Deterministic; cost: accesses times processes."""

    def __init__(self, trace: Trace, accesses: Accesses | None = None) -> None:
        self.trace = trace
        self.accesses = accesses or Accesses(trace)
        self._writes: dict[Location, list[int]] = {}
        for number in range(len(trace.steps)):
            for place in self.accesses[number].writes:
                self._writes.setdefault(place, []).append(number)
        self.dependencies = tuple(self._dependencies())

    def writer(self, number: int, location: Location) -> int | None:
        """The step that last wrote the value that step `number` found in `location`; None for the initial value."""
        writes = self._writes.get(location, ())
        before = bisect_left(writes, number)
        return writes[before - 1] if before else None

    def own_writes(self, number: int, location: Location) -> Iterator[int]:
        """The steps before `number` with which the same process wrote `location`, the latest first."""
        writes, process = self._writes.get(location, ()), self.trace.steps[number].process
        before = (writes[n] for n in range(bisect_left(writes, number) - 1, -1, -1))
        return (n for n in before if self.trace.steps[n].process == process)

    def writers(self, location: Location) -> Sequence[int]:
        """The steps that write `location`, in order."""
        return self._writes.get(location, ())

    def sources(self) -> Iterator[tuple[int, int]]:
        """Of every step that only reads: the last step, of any process, that wrote a part of the value."""
        for number, step in enumerate(self.trace.steps):
            reads, writes = _data(self.accesses, step, number)
            found = [writer for place in reads if (writer := self.writer(number, place)) is not None]
            if found and not writes:
                yield number, max(found)

    def chain(self, location: Location, first: int, last: int) -> tuple[Dependency, ...]:
        """The `ww` edges along `location` from the write `first` to the write `last`, between different processes."""
        writes = self.writers(location)
        numbers = writes[bisect_left(writes, first) : bisect_right(writes, last)]
        steps = self.trace.steps
        return tuple(
            Dependency(DependencyKind.WW, location, a, b)
            for a, b in pairwise(numbers)
            if steps[a].process != steps[b].process
        )

    def back(self, source: str, target: str, prefer: Location | None = None) -> tuple[Dependency, ...] | None:
        """The shortest path of dependencies from one process to another; None when there is none."""
        import networkx as nx  # noqa: PLC0415 - slow to import, and most explorations find nothing to explain

        graph = self._graph
        if source not in graph or target not in graph or not nx.has_path(graph, source, target):
            return None
        hops = pairwise(nx.shortest_path(graph, source, target))
        return tuple(self._best([self.dependencies[n] for n in graph.edges[a, b]["edges"]], prefer) for a, b in hops)

    def cycle(self, edges: Sequence[Dependency]) -> Cycle | None:
        """The cycle made of `edges`, named; None when fewer than two runs lie on it."""
        runs = {self.trace.steps[n].process for edge in edges for n in (edge.source, edge.target)}
        if len(runs - set(self.trace.daemons)) < 2 or not edges:
            return None
        return Cycle(_name(edges), tuple(edges))

    def _dependencies(self) -> Iterator[Dependency]:
        written: dict[Location, int] = {}
        readers: dict[Location, dict[str, int]] = {}
        for number, step in enumerate(self.trace.steps):
            reads, writes = _data(self.accesses, step, number)
            for location in reads:
                writer = written.get(location, -1)
                if writer >= 0 and self.trace.steps[writer].process != step.process:
                    yield Dependency(DependencyKind.WR, location, writer, number)
            for location in writes:
                before = written.get(location, -1)
                if before >= 0 and self.trace.steps[before].process != step.process:
                    yield Dependency(DependencyKind.WW, location, before, number)
                for other, reader in readers.pop(location, {}).items():
                    if other != step.process:
                        yield Dependency(DependencyKind.RW, location, reader, number)
                written[location] = number
            for location in reads:
                if location not in writes:
                    readers.setdefault(location, {})[step.process] = number

    @cached_property
    def _graph(self) -> nx.DiGraph[str]:
        import networkx as nx  # noqa: PLC0415 - slow to import, and most explorations find nothing to explain

        graph: nx.DiGraph[str] = nx.DiGraph()
        for n, edge in enumerate(self.dependencies):
            first, second = self.trace.steps[edge.source].process, self.trace.steps[edge.target].process
            if not graph.has_edge(first, second):
                graph.add_edge(first, second, edges=[])
            graph.edges[first, second]["edges"].append(n)
        return graph

    def _best(self, edges: Sequence[Dependency], prefer: Location | None) -> Dependency:
        """The most telling edge: of the preferred field, the strongest kind, the innermost field, the first."""
        kinds = list(DependencyKind)
        return min(edges, key=lambda e: (e.location != prefer, kinds.index(e.kind), -len(e.location.path), e.source))


def _data(accesses: Accesses, step: Step, number: int) -> tuple[tuple[Location, ...], tuple[Location, ...]]:
    access = accesses[number]
    return ((), ()) if locks(step) else (access.reads, access.writes)


def locks(step: Step) -> bool:
    """Whether a step takes or releases a lock, and is no death."""
    return step.op is not None and any(hold.target.is_lock for hold in (step.taken, *step.dropped) if hold is not None)


def _name(edges: Sequence[Dependency]) -> str:
    kinds = [edge.kind for edge in edges]
    anti = [edge for edge in edges if edge.kind is DependencyKind.RW]
    if not anti:
        return "dirty write (G0)" if DependencyKind.WR not in kinds else "circular information flow (G1c)"
    if len(anti) == 1:
        same = {edge.location for edge in edges} == {anti[0].location}
        return "lost update" if same and DependencyKind.WW in kinds else "read skew (G-single)"
    apart = {edge.location.target for edge in anti}
    return "write skew (G2-item)" if len(edges) == 2 and len(apart) == 2 else "anti-dependency cycle (G2-item)"


def act(step: Step) -> str:
    """What a step did, in a word or two of the model's own."""
    what = "death" if step.op is None else step.section or step.op.verb
    return f"{what} ({step.label})" if step.label else what
