"""Models are Python files or folders, loaded by path, or by short name from the copy that comes with the package."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.abc import Loader
from importlib.util import decode_source
from inspect import iscoroutine
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from dstamp_sim.core.contained import Meanings
from dstamp_sim.core.errors import PACKAGE_FOLDER, ModelError, UsageError, blamed, cut, instead, shown, unknown
from dstamp_sim.core.made_again import check_made_alike
from dstamp_sim.core.mechanism import Hypotheses, Mechanism
from dstamp_sim.core.observable import Observable
from dstamp_sim.core.place import MODELS, defined
from dstamp_sim.core.placement import Placement
from dstamp_sim.core.system import ANY, Copies, System
from dstamp_sim.core.turned import may_order
from dstamp_sim.core.typed import texts
from dstamp_sim.disk.reading import LONGEST_NAME, Unreadable, no_text, read_bytes
from dstamp_sim.inputs.changed_source import ModelLoader, turned_at_import
from dstamp_sim.inputs.schema import as_written, rule_of

NO_LOCKS = Placement("none")
"""The name of no placement, in every output."""


@dataclass(frozen=True)
class Model:
    """A loaded model file: its path, its factory, and the things that it names."""

    reference: str
    path: Path
    module: ModuleType
    factory: Callable[..., System]
    mechanisms: Mapping[str, Mechanism]
    placements: Mapping[str, Placement]
    assumptions: Sequence[tuple[str, str]]
    hypotheses: Hypotheses | None = None

    @property
    def evidence(self) -> Observable:
        """The observable fields of its runs; none if it has no hypotheses."""
        return self.hypotheses.evidence if self.hypotheses else Observable()

    @property
    def about(self) -> str:
        """The first paragraph of the model's docstring, as one line."""
        return " ".join((inspect.getdoc(self.module) or "").partition("\n\n")[0].split())

    @property
    def story(self) -> str:
        """The story of the mechanism that the reference names; empty if it names none."""
        name = self.reference.partition(":")[2].replace("_", "-")
        return next((one.story for key, one in self.mechanisms.items() if key.replace("_", "-") == name), "")

    def placement(self, written: str) -> Placement:
        """The placement of this name, or the one written out as spans. Raises UsageError with the nearest one."""
        if written in self.placements:
            return self.placements[written]
        if written == NO_LOCKS.name:
            return NO_LOCKS
        if ":" in written:
            return Placement.parse(written)
        valid = [*self.placements, NO_LOCKS.name]
        raise UsageError(f"{unknown('placement', written, valid)}, or write it out as lock:first..last")

    def mechanism(self, name: str) -> Mechanism:
        """The mechanism with this name. Raises UsageError naming the nearest one."""
        if name not in self.mechanisms:
            raise UsageError(unknown("mechanism", name, self.mechanisms))
        return self.mechanisms[name]

    def build(self, settings: Mapping[str, Any], placement: str | None = None) -> System:
        """The factory's system with `settings`, under `placement` (the model's own when None).

        Raises ModelError with the model's file and line when the factory fails, returns no System, or one that depends
        on the order of a set, PlacementError when the placement and `settings` set one parameter differently, and the
        UsageError with which a factory refuses its parameters.
        """
        laid = None if placement is None else self.placement(placement)
        arguments = settings if laid is None else laid.joined(settings)
        try:
            system = self.factory(**arguments)
        except UsageError:
            raise
        except BaseException as error:
            raise blamed(error, _line_of(error, self.path), "the factory") from error
        if iscoroutine(system):
            system.close()
            raise ModelError(f"{defined(self.factory)}: write the factory with `def`, not `async def`")
        if not isinstance(system, System):
            raise ModelError(f"{self.path}: the factory returned {system!r}, not a System")
        if self._in_order:
            check_made_alike(system, lambda turn: self._factory_again(turn)(**arguments))
        return system if laid is None else system.with_locks(laid)

    @cached_property
    def _in_order(self) -> bool:
        """Whether something of the model may be in the order of a set."""
        return any(may_order(decode_source(source)) for _, source in sources(self.path))

    def _factory_again(self, turn: bool) -> Callable[..., System]:
        """The factory of the model run again, with `turn` going through sets the other way round at import, too."""
        with redirect_stdout(StringIO()), turned_at_import() if turn else nullcontext():
            module = _import_beside(self.path)
        return _factory(module, self.path, self.reference.partition(":")[2])


def load_model(reference: str) -> Model:
    """The model at `path.py[:factory]`, `folder[:factory]`, or a short name such as `classic/bank`.

    The factory is `build` unless the reference names a mechanism or a factory of the file (dashes may stand for
    underscores). Raises UsageError when nothing is there, ModelError with file and line when the file cannot be
    imported or lacks the factory.
    """
    location, _, name = reference.partition(":")
    path = _find(location)
    module = _import(path)
    return Model(
        reference=reference,
        path=path,
        module=module,
        factory=_factory(module, path, name),
        mechanisms=_named(module, path, "MECHANISMS", Mechanism),
        placements=_named(module, path, "PLACEMENTS", Placement),
        assumptions=_assumptions(module, path),
        hypotheses=_hypotheses(module, path),
    )


def _factory(module: ModuleType, path: Path, name: str) -> Callable[..., System]:
    """The factory that a reference names, `build` if none. Raises ModelError with the nearest one."""
    mechanisms: Mapping[str, Mechanism] = _named(module, path, "MECHANISMS", Mechanism)
    factory_name = name.replace("-", "_") or "build"
    factory = mechanisms[name].factory if name in mechanisms else getattr(module, factory_name, None)
    if not callable(factory):
        valid = [*(key for key, value in vars(module).items() if _is_factory(value)), *mechanisms]
        rule = f"a factory returns a System; write `def {factory_name}() -> System:`"
        raise ModelError(f"{path}: {unknown('factory', factory_name, valid)}: {rule}")
    return factory


def _named(module: ModuleType, path: Path, name: str, kind: type) -> Any:
    """The model's dict `name`. Raises ModelError unless it maps texts to `kind`."""
    found = getattr(module, name, {})
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        raise ModelError(f"{path}: {name} is {found!r}, but it must be a dict from names to {kind.__name__}s")
    for key, value in found.items():
        if not isinstance(value, kind):
            raise ModelError(f"{path}: {name}[{key!r}] is {value!r}, but it must be a {kind.__name__}")
    return found


def _assumptions(module: ModuleType, path: Path) -> Sequence[tuple[str, str]]:
    found = getattr(module, "ASSUMPTIONS", ())
    pairs = isinstance(found, list | tuple) and all(
        isinstance(pair, tuple) and list(map(type, pair)) == [str, str] for pair in found
    )
    if not pairs:
        raise ModelError(
            f"{path}: ASSUMPTIONS is {found!r}, but it must be a list of pairs of texts: (what, on whose word)"
        )
    return tuple(found)


def _hypotheses(module: ModuleType, path: Path) -> Hypotheses | None:
    found = getattr(module, "HYPOTHESES", None)
    if found is not None and not isinstance(found, Hypotheses):
        raise ModelError(f"{path}: HYPOTHESES is {cut(repr(found))}, but it is made by Hypotheses(...)")
    return found


def read_settings(factory: Callable[..., System], written: Sequence[str]) -> dict[str, Any]:
    """`["runs=3", "pr=1,2"]` as keyword arguments, checked against the factory's annotations.

    Raises UsageError for an unknown name (with the nearest), a value of the wrong type, or a missing `=`.
    """
    settings: dict[str, Any] = {}
    for item in texts("model", "settings", written):
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--set {item}: write name=value")
        settings[name] = value
    return checked_settings(factory, settings)


def checked_settings(factory: Callable[..., System], settings: Mapping[str, Any]) -> dict[str, Any]:
    """`settings` converted to the types in the factory's annotations. Raises UsageError as `read_settings`."""
    parameters = _parameters(factory)
    for name in settings:
        if name not in parameters:
            raise UsageError(unknown("parameter", name, parameters))
    return {name: _converted(name, value, parameters[name].annotation) for name, value in settings.items()}


def _converted(name: str, value: Any, annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        raise UsageError(f"parameter {name!r} has no annotation in the model, so {value!r} cannot be checked")
    kind = "a number or any" if annotation == Copies else inspect.formatannotation(annotation).replace("typing.", "")
    items = tuple(value.split(",")) if isinstance(value, str) and str(kind).startswith("tuple") else value
    try:
        return (
            TypeAdapter(annotation).validate_python(items) if isinstance(value, str) else as_written(annotation, value)
        )
    except PydanticUserError as error:
        raise UsageError(f"parameter {name!r} is declared {kind}, which --set cannot write") from error
    except ValidationError as error:
        raise UsageError(f"parameter {name!r}: {rule_of(error)}; it is declared {kind}") from error


def _parameters(factory: Callable[..., System]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a factory. Raises ModelError if an annotation has an unknown name."""
    try:
        return inspect.signature(factory, eval_str=True).parameters
    except Exception as error:
        raise ModelError(f"{defined(factory)}: an annotation of the factory: {shown(error)}") from error


def any_number(factory: Callable[..., System], settings: Mapping[str, Any]) -> dict[str, Any]:
    """`settings`, and `ANY` for every parameter not among them that the factory declares as `Copies`."""
    parameters = _parameters(factory)
    free = {name: ANY for name, known in parameters.items() if known.annotation == Copies and name not in settings}
    return {**free, **settings}


def fingerprint(path: Path) -> str:
    """A digest of a model's source files, to tell whether a witness belongs to the same text."""
    digest = hashlib.sha256()
    for _, source in sources(path):
        digest.update(source)
    return digest.hexdigest()[:16]


@cache
def made_by() -> tuple[str, str]:
    """The Python, and a digest of this package: what other ones found is not known."""
    return sys.version, fingerprint(PACKAGE_FOLDER)


def sources(path: Path) -> Iterator[tuple[Path, bytes]]:
    """Every source file of the model at `path`, in order, with its content; what is in hidden folders is none.

    Raises Unreadable for one that is no regular file, or is too large.
    """
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        if not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file, read_bytes(file)


def bundled(relative: str) -> Path:
    """A file or folder that comes with the package: from the wheel, or from the checkout that the package is in."""
    package = PACKAGE_FOLDER.resolve()
    inside = package / "_bundled" / relative
    return inside if inside.exists() else package.parent / relative


def file_of(reference: str) -> Path:
    """The file or folder that loading a model would run; nothing is run. Raises UsageError if there is none."""
    return _find(reference.partition(":")[0])


def _find(location: str) -> Path:
    if len(location) >= LONGEST_NAME or "\0" in location:
        raise UsageError(f"no model at {cut(location)!r}: this is not a file name")
    for path in (Path(location), bundled(f"models/{location}"), bundled(f"models/{location}.py"), bundled(location)):
        if (path.suffix == ".py" and path.exists() and not path.is_dir()) or (path / "__init__.py").is_file():
            return path
    if location and Path(location).exists():
        raise UsageError(f"{location} is there, but a model is a .py file, or a folder with an __init__.py")
    known = sorted(_short_names())
    folder = Path(location).parent
    beside = [path.as_posix() for path in folder.glob("*.py")]
    raise UsageError(f"no model at {cut(location)!r}{instead(location, [*beside, *known])}")


def _short_names() -> list[str]:
    root = bundled("models")
    files = [file.relative_to(root).with_suffix("").as_posix() for file in root.glob("*/*.py")]
    folders = [file.parent.relative_to(root).as_posix() for file in root.glob("*/__init__.py")]
    inner = tuple(f"{folder}/" for folder in folders)
    return folders + [name for name in files if not name.startswith(inner)]


def _import(path: Path) -> ModuleType:
    """A fresh module from `path`, registered under a unique name, so that its parts can import each other."""
    entry = path / "__init__.py" if path.is_dir() else path
    for file, source in sources(path):  # none of them is written over
        _refuse_bytes(file, source)
    name = _module_name(entry)
    for known in _loaded(name):
        del sys.modules[known]
    search = [str(path)] if path.is_dir() else None
    loader = ModelLoader(name, str(entry.absolute()))
    spec = importlib.util.spec_from_file_location(name, entry, loader=loader, submodule_search_locations=search)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    meanings = Meanings()
    try:
        _performed(spec.loader, module, meanings)
    except SyntaxError as error:
        raise ModelError(f"{error.filename or entry}:{error.lineno or 1}: {_not_python(error)}") from error
    except BaseException as error:
        fault = blamed(error, _line_of(error, path), "importing the model")
        raise ModelError(f"{fault}{_instead_of_importing(error, path)}") from error
    return module


def _module_name(entry: Path) -> str:
    return f"{MODELS}{hashlib.sha256(os.fsencode(entry.resolve())).hexdigest()[:12]}"


def _loaded(name: str) -> dict[str, ModuleType]:
    """The loaded module of this name, and its parts."""
    return {known: module for known, module in sys.modules.items() if known == name or known.startswith(f"{name}.")}


def _import_beside(path: Path) -> ModuleType:
    """As `_import`; what was loaded from `path` before is what others find still."""
    before = _loaded(name := _module_name(path / "__init__.py" if path.is_dir() else path))
    try:
        return _import(path)
    finally:
        for known in _loaded(name):
            del sys.modules[known]
        sys.modules.update(before)


_SLIPS = (
    ("indent", "indent the lines of a block alike, by four spaces"),
    ("string literal", "end the text with the quotation marks that begin it; only three go on over lines"),
    ("digits", "write the number as a power or a product, such as 10**5000"),
    ("was never closed|does not match opening|unmatched", "pair this bracket with one of its kind"),
    ("null bytes", "save the file as text, in UTF-8"),
    ("invalid (non-printable )?character", "write this letter in a text only, in quotation marks"),
    ("cannot (assign|contain assignment|delete)", "left of = stands a name or an item; to compare, write =="),
    ("(decimal|octal|imaginary) literal|invalid digit", "a name begins with a letter, and a number has digits only"),
    ("argument", "write f(first, name=second): first what has no name, then what has one, each name once"),
    ("outside (function|loop)|not properly in loop", "move this line into a function, or a loop, of its own"),
    ("^invalid syntax$|^expected ", "look for a missing bracket, colon or comma here and on the line before"),
)
"""What to do about a SyntaxError, by its message: most of Python's say what is wrong only."""

_LAST_REMEDY = "mend this line; `python -m py_compile FILE` says the same"


def _refuse_bytes(file: Path, source: bytes) -> None:
    """Raises Unreadable for a source that is no text."""
    try:
        decode_source(source)
    except (UnicodeDecodeError, SyntaxError) as error:
        told = f"not UTF-8{_fault_of(source)}, nor in an encoding that its first line names: save it in UTF-8"
        raise Unreadable(file, told) from error


def _fault_of(source: bytes) -> str:
    """Where a source is not UTF-8; empty where it is."""
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        return f" ({no_text(error)})"
    return ""


def _not_python(error: SyntaxError) -> str:
    """What is no Python, the line as it stands, and the remedy."""
    line = f": {cut(error.text.strip())!r}" if error.text and error.text.strip() else ""
    wrong = "a number of thousands of digits" if "digits" in error.msg else error.msg
    own = "erhaps" in error.msg or "did you mean" in error.msg.lower() or "aybe you meant" in error.msg
    remedy = next((told for pattern, told in _SLIPS if re.search(pattern, error.msg)), "" if own else _LAST_REMEDY)
    return f"not Python: {wrong}{line}{remedy and '; '}{remedy}"


def _instead_of_importing(error: BaseException, path: Path) -> str:
    """The remedy where a model imports a file beside it, which is not on Python's path."""
    name = error.name if isinstance(error, ModuleNotFoundError) and error.name else ""
    top = name.partition(".")[0]
    beside = (path if path.is_dir() else path.parent) / top
    if not top or not (beside.with_suffix(".py").is_file() or beside.is_dir()):
        return ""
    if path.is_dir():
        return f": inside of a model's folder, write `from . import {top}`"
    return (
        f": a model is one file or one folder; make a folder of both, with this one as its __init__.py, and write "
        f"`from . import {top}`"
    )


def _performed(loader: Loader, module: ModuleType, meanings: Meanings) -> None:
    """Runs a module's source, which must leave the names of Python their `meanings`.

    No bytecode is kept: with bytecode, a file changed twice in a second looks unchanged.
    """
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        meanings.check()
        sys.dont_write_bytecode = before


def _line_of(error: BaseException, path: Path) -> str:
    """The place in the model where `error` was raised."""
    root = str(path.resolve())
    frames = [f for f in traceback.extract_tb(error.__traceback__) if str(Path(f.filename).resolve()).startswith(root)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(path)


def _is_factory(value: Any) -> bool:
    if not callable(value) or inspect.isclass(value):
        return False
    try:
        annotation = inspect.signature(value).return_annotation
    except (TypeError, ValueError):
        return False
    return annotation is System or annotation == "System"
