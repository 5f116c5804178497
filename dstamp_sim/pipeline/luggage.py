"""What travels to a worker that shares no disk: a model's files with their digest, and tasks about the model.

A reference to the model means its files wherever they are: it is put in as a task is unpacked there, and texts that
name the files there name those here when a result comes home. So results do not depend on where they were found.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dstamp_sim.core.errors import DstampError
from dstamp_sim.disk.writing import write_at_once
from dstamp_sim.engines.parallel.tasks import Begin
from dstamp_sim.inputs.model_file import file_of, sources


class Luggage(NamedTuple):
    """A model's source files, where they are at home, and what each task is given first."""

    files: tuple[tuple[str, bytes], ...]
    digest: str
    home: str
    about: bytes

    @staticmethod
    def packed(reference: str, begin: Begin, about: tuple[Any, ...]) -> Luggage:
        """The luggage for tasks about a model."""
        path = file_of(reference)
        files = tuple((file.relative_to(path.parent).as_posix(), source) for file, source in sources(path))
        return Luggage(files, _digest(files), str(path), packed_for(reference, (begin, about)))

    def unpacked(self, folder: Path, factory: str) -> Begun:
        """What each task is given first, made of the files as they are written into a folder.

        Raises DstampError if they are not those that were sent.
        """
        if _digest(self.files) != self.digest:
            raise DstampError(f"{self.home} did not arrive as it was sent: its digest differs")
        for name, source in self.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_at_once(folder / name, source)
        here = str(folder / Path(self.home).name)
        begin, about = _Unpickler(io.BytesIO(self.about), here + factory).load()
        return Begun(begin(*about), here, factory, self.home)


class Begun(NamedTuple):
    """What each task is given first on a worker; and where the model's files are there, and at home."""

    subject: Any
    here: str
    factory: str
    home: str

    def performed(self, packed: bytes) -> bytes:
        """The packed result of a packed task, or the error that it raised: whether it is a result, and which."""
        task, item = _Unpickler(io.BytesIO(packed), self.here + self.factory).load()
        try:
            found = True, task(self.subject, item)
        except Exception as error:  # whatever it is, it is raised at home
            found = False, error
        return _pickled(found, lambda text: text.replace(self.here, self.home) if self.here in text else None)


def packed_for(reference: str, item: Any) -> bytes:
    """Something about a model, for `Luggage`."""
    return _pickled(item, lambda text: "" if text == reference else None)


def come_home(packed: bytes) -> tuple[bool, Any]:
    """What `Begun.performed` packed."""
    home: tuple[bool, Any] = _Unpickler(io.BytesIO(packed), "").load()
    return home


def _digest(files: tuple[tuple[str, bytes], ...]) -> str:
    digest = hashlib.sha256()
    for name, source in files:
        digest.update(f"{name}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


class _Pickler(pickle.Pickler):
    instead: Callable[[str], str | None]

    def persistent_id(self, item: Any) -> str | None:
        """The text that stands for a text, None if it stands for itself; the empty one stands for the model."""
        return self.instead(item) if type(item) is str else None


def _pickled(item: Any, instead: Callable[[str], str | None]) -> bytes:
    written = io.BytesIO()
    pickler = _Pickler(written, protocol=5)
    pickler.instead = instead
    pickler.dump(item)
    return written.getvalue()


class _Unpickler(pickle.Unpickler):
    def __init__(self, packed: io.BytesIO, model: str) -> None:
        super().__init__(packed)
        self._model = model

    def persistent_load(self, told: str) -> str:
        """The text."""
        return told or self._model
