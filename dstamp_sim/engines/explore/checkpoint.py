"""Checkpoints: what a search has found so far, kept in a folder while it goes on, and taken up by a later command.

A folder holds parts, each of the states that were found since the one before, and for every search a list of its parts
with their digests. No part is ever changed, and the list is replaced as a whole when a new part is on the disk: whoever
is killed at any moment leaves the list from before, or the one from after. What a part lacks is made again: tables are
filled in the order in which they were, and every level is judged anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dstamp_sim.core.errors import UsageError, cut, lacks_memory
from dstamp_sim.core.numbers import many
from dstamp_sim.disk.reading import Unreadable, read_bytes, read_json
from dstamp_sim.disk.writing import check_writable, write_at_once
from dstamp_sim.engines.explore.space import Space, SpacePart
from dstamp_sim.engines.tables.tables import Tables

STATES_OF_A_PART = 1 << 23
"""The most states of one part."""

LARGEST_PART = 1 << 31
"""Bytes of a part beyond which it is none of ours."""

Number = Annotated[int, Field(ge=0)]


class KeptPart(BaseModel):
    """A part of a checkpoint: its file, and the digest of what is in it."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z-]{1,20}-[0-9]{1,9}\.part$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class KeptSearch(BaseModel):
    """How far a search had come: its question, its parts in their order, and what no part has."""

    model_config = ConfigDict(extra="forbid")
    question: dict[str, str]
    reductions: str
    tables: str
    states: Number
    expanded: Number
    transitions: Number
    reduced: Number
    levels: list[Number]
    met: Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$")]
    parts: list[KeptPart]
    digest: str = ""

    def content(self) -> str:
        """The digest of all else in it."""
        return hashlib.sha256(self.model_dump_json(exclude={"digest"}).encode()).hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """The folder in which the searches of one exploration are kept, a part at most every so many seconds.

    `question` is all that they depend on. `resumed`: they go on with what is there. `tell` is called with a sentence
    when a search goes on, when its first part is kept, and when one cannot be for the first time: then the search goes
    on, and the part is tried again later. One that is `asked` for is also kept when a bound on states ends the search.
    """

    folder: Path
    question: Mapping[str, str]
    every_s: float
    tell: Callable[[str], None]
    resumed: bool = False
    asked: bool = True

    def of(self, search: str) -> SearchCheckpoint:
        """The checkpoint of one of `SEARCHES`."""
        return SearchCheckpoint(self, search)

    def lists(self) -> list[Path]:
        """The files that list the parts of searches, as far as they are there."""
        files = (self.folder / f"{search}.json" for search in SEARCHES)
        return [file for file in files if file.exists() or file.is_symlink()]

    @contextmanager
    def held(self) -> Iterator[None]:
        """While it lasts, no other command keeps anything in the folder.

        Raises UsageError if another one does, if the folder cannot be written, if what is there is of another question,
        and if nothing is there to go on with, or something that is not to be gone on with.
        """
        named = f"{'--resume' if self.resumed else '--checkpoint'} {cut(str(self.folder))}"
        if self.resumed and not self.lists():
            raise UsageError(f"{named}: no checkpoint is there; --checkpoint begins one")
        check_writable(self.folder, named)
        handle = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(f"{named}: another command keeps its checkpoint there") from error
            self._check(named)
            yield
        finally:
            os.close(handle)

    def _check(self, named: str) -> None:
        if not self.resumed and self.lists():
            raise UsageError(f"{named}: a checkpoint is there; --resume goes on with it, another folder begins anew")
        if not self.resumed and any(self.folder.iterdir()):
            raise UsageError(f"{named}: the folder is not empty; give a new one")
        for file in self.lists():
            if differing := self._differing(read_kept_search(file)):
                raise UsageError(f"{named}: this is the checkpoint of another question: {'; '.join(differing)}")

    def _differing(self, kept: KeptSearch) -> list[str]:
        names = dict.fromkeys([*kept.question, *self.question])
        both = [(name, kept.question.get(name, "not set"), self.question.get(name, "not set")) for name in names]
        return [f"{cut(name)}: {cut(before)}, now {cut(now)}" for name, before, now in both if before != now]


OF_STATES, OVER_TIME = "at-once", "in-time"
SEARCHES = (OF_STATES, OVER_TIME)
"""The searches of an exploration: of the properties that a state decides, and of those in time."""


class SearchCheckpoint:
    """The checkpoint of one search. Nothing is written over what is kept of it before that is taken up."""

    def __init__(self, folder: Checkpoint, name: str) -> None:
        self._of, self._file, self._name = folder, folder.folder / f"{name}.json", name
        self._parts: list[KeptPart] = []
        self._kept_states = self._kept_stuck = self._kept_fills = 0
        self._waits = read_kept_search(self._file) if folder.resumed and self._file.exists() else None
        self._last = monotonic()
        self._told_kept = True if folder.resumed else None

    def take_up(self, space: Space) -> bool:
        """Whether `space`, at its start, has become what was kept of this search.

        It has not if that is of a search with other reductions: then this one comes before it, and is not kept. Nothing
        is kept yet of a space that has become nothing.
        Raises UsageError if a part is missing or damaged, or the model now behaves otherwise.
        """
        kept = self._waits
        if kept is None or kept.reductions != _reductions(space):
            self._parts, self._kept_states, self._kept_stuck, self._kept_fills = [], 0, 0, 0
            return False
        space.count = 0
        for part in kept.parts:
            space.take_up(_read_part(self._of.folder / part.name, part.digest))
        space.tables.deaths()
        if (space.count, _digest_of(space.tables)) != (kept.states, kept.tables):
            raise UsageError(f"{cut(str(self._file))}: the model now behaves otherwise than when this was kept")
        space.goes_on(kept.levels, kept.expanded, kept.transitions, kept.reduced, bytes.fromhex(kept.met))
        self._waits, self._parts = None, list(kept.parts)
        self._note_kept(space)
        self._of.tell(f"goes on from {_so_far(space)}, which {self._of.folder} has")
        return True

    def note(self, space: Space, *, ends: bool) -> None:
        """Keeps what is new of `space` if that is due, as it is if the search `ends` here.

        `space` lies between two calls of `expand`.
        """
        due = monotonic() - self._last >= self._of.every_s or (ends and self._of.asked)
        if self._waits is not None or not due:
            return
        try:
            self._keep(space)
            told = f"kept from here on in {self._of.folder}: if this ends early, --resume goes on with it"
            self._say(told, kept=True)
        except UsageError as error:
            self._say(f"no checkpoint of {_so_far(space)}: {error}; the search goes on")
        except MemoryError as error:
            if not lacks_memory(error):
                raise
            self._say(f"no checkpoint of {_so_far(space)}: memory ran out; the search goes on")
        self._last = monotonic()

    def _say(self, what: str, *, kept: bool = False) -> None:
        """Tells that it is `kept`, or why not, if that was otherwise the last time."""
        if kept is not self._told_kept:
            self._of.tell(what)
        self._told_kept = kept

    def _keep(self, space: Space) -> None:
        parts = list(self._parts)
        begin, stuck, fills = self._kept_states, self._kept_stuck, self._kept_fills
        while (begin, stuck, fills) != (space.count, len(space.stuck), len(space.fills)):
            end = min(space.count, begin + STATES_OF_A_PART)
            parts.append(self._write_part(len(parts) + 1, space.part(begin, end, stuck, fills)))
            begin, stuck, fills = end, len(space.stuck), len(space.fills)
        kept = KeptSearch(
            question=dict(self._of.question), reductions=_reductions(space), tables=_digest_of(space.tables),
            states=space.count, expanded=space.expanded, transitions=space.transitions, reduced=space.reduced,
            levels=space.levels, met=space.met.hex(), parts=parts,
        )  # fmt: skip
        kept.digest = kept.content()
        write_at_once(self._file, kept.model_dump_json(indent=1))
        self._parts = parts
        self._note_kept(space)

    def _write_part(self, number: int, part: SpacePart) -> KeptPart:
        file = io.BytesIO()
        np.savez(file, **part._asdict())
        content = file.getvalue()
        name = f"{self._name}-{number}.part"
        write_at_once(self._of.folder / name, content)
        return KeptPart(name=name, digest=hashlib.sha256(content).hexdigest())

    def _note_kept(self, space: Space) -> None:
        self._kept_states, self._kept_stuck, self._kept_fills = space.count, len(space.stuck), len(space.fills)


def read_kept_search(file: Path) -> KeptSearch:
    """What a list says of a search. Raises UsageError if it is none."""
    try:
        kept = KeptSearch.model_validate(read_json(file))
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise UsageError(f"{cut(str(file))}: no checkpoint: at {cut(place) or 'the top'}: {wrong['msg']}") from error
    if kept.digest != kept.content():
        raise Unreadable(file, "damaged: it is not the list that was written; begin anew with --checkpoint")
    return kept


def _read_part(file: Path, digest: str) -> SpacePart:
    content = read_bytes(file, LARGEST_PART)
    if hashlib.sha256(content).hexdigest() != digest:
        raise Unreadable(file, "damaged: it is not the part that was written; begin anew with --checkpoint")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return SpacePart(**{name: arrays[name] for name in SpacePart._fields})


def _reductions(space: Space) -> str:
    """Which reductions a search has; one with others has other states."""
    merged = "merged" if space.tables.merge else "not merged"
    return f"{merged}, {'symmetry' if space.symmetry else 'no symmetry'}, {'cut' if space.future else 'not cut'}"


def _digest_of(tables: Tables) -> str:
    """A digest of all steps and deaths in the tables: with the same ones, the same rows can be reached."""
    digest = hashlib.sha256()
    for array in _arrays_of(tables):
        digest.update(f"{array.dtype} {len(array)};".encode() + array.tobytes())
    return digest.hexdigest()


def _arrays_of(tables: Tables) -> Iterator[np.ndarray]:
    steps = (tables.target, tables.base, tables.before, tables.entries, tables.first, tables.next_local)
    holds = (tables.next_state, tables.hold_first, tables.hold_count, tables.hold_object, tables.hold_base)
    yield from (array.data[: array.size] for array in (*steps, *holds, tables.hold_entries))


def _so_far(space: Space) -> str:
    return f"{many(space.count, 'state')}, depth {len(space.levels) - 1}"
