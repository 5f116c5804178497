"""Writes docs/objects.md: every shared object of the package with its ops, from their docstrings.

`make reference` runs it; tests/docs/test_reference.py runs it again and compares.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import dstamp_sim
from dstamp_sim import Op, Program, SharedObject

PAGE = Path(__file__).parent.parent / "docs" / "objects.md"

HEADING = """# Objects and their ops

What processes can share, as `from dstamp_sim import …` offers it. An op is yielded: `seen = yield balance.read()`.
Where the table says `yield from`, it is several ops. What no object has you write yourself: a class with `outcomes` is
enough ([the tutorial](tutorial.md) has one). Written by `make reference` from the docstrings; a test compares.

Two reports that used to need an object of their own. A lease lapses while its holder works, and an update is lost:

```python
from dstamp_sim import Lease, Process, Program, Register, System, at_end

lease, file = Lease("lease"), Register("file", 0)


def apply() -> Program[None]:
    token = yield lease.acquire()
    seen = yield file.read()
    yield file.write(seen + 1)
    yield lease.release(token)


def build() -> System:
    return System(
        objects=[lease, file],
        processes=[Process("apply", apply, copies=2), Process("ttl", lease.lapses, daemon=True)],
        properties=[at_end("both are in", lambda _, state: state[file] == 2, reads=[file])],
    )
```

Each request holds a connection of a pool and asks for a second one; the server closes those of the dead:

```python
from dstamp_sim import Process, Program, Semaphore, System

pool = Semaphore("pool", 2, undo=True)


def request() -> Program[None]:
    yield pool.acquire()
    yield pool.acquire()
    yield pool.release()
    yield pool.release()


def build() -> System:
    return System(objects=[pool], processes=[Process("request", request, copies=2)])
```

`dstamp explore` says of them:

> ttl's lapse at step 5 changed lease, which apply#1 held since its acquire at step 1; so apply#2's acquire at step 6
> found no holder, and 'both are in' fails at step 11. Tried and safe: without ttl's lapse.

> Two hold one pool each (request#1 and request#2), all want one more, and none is free. Tried and safe: request#2's
> acquire after request#1 has ended.
"""


def public_objects() -> list[type[SharedObject]]:
    """Every shared object among the public names, in alphabetical order; `SharedObject` itself is none."""
    found = [getattr(dstamp_sim, name) for name in dstamp_sim.__all__]
    return [item for item in found if _is_object(item)]


def _is_object(item: Any) -> bool:
    return inspect.isclass(item) and issubclass(item, SharedObject) and item is not SharedObject


def reference() -> str:
    """The page."""
    return "\n".join([HEADING, *(line for item in public_objects() for line in _chapter(item))])


def _chapter(item: type[SharedObject]) -> Iterator[str]:
    yield f"## {item.__name__}"
    yield ""
    yield f"`{item.__name__}{_arguments(item.__init__)}`" + (" is a lock." if item.is_lock else "")
    yield ""
    yield inspect.getdoc(item) or ""
    yield ""
    yield "| op | what it does |"
    yield "|---|---|"
    for name, method in _ops(item):
        how = "yield from " if _returns_program(method) else ""
        says = " ".join((inspect.getdoc(method) or "").split()).replace("|", "\\|")
        yield f"| `{how}{name}{_arguments(method)}` | {says} |"
    yield ""


def _ops(item: type[SharedObject]) -> Iterator[tuple[str, Callable[..., Any]]]:
    inherited = vars(SharedObject)
    for name, method in vars(item).items():
        if inspect.isfunction(method) and not name.startswith("_") and name not in inherited:
            returned = inspect.signature(method, eval_str=True).return_annotation
            if returned is Op or _returns_program(method):
                yield name, method


def _returns_program(method: Callable[..., Any]) -> bool:
    returned = inspect.signature(method, eval_str=True).return_annotation
    return get_origin(returned) is get_origin(Program[None]) and get_args(returned)[:1] == (Op,)


def _arguments(method: Callable[..., Any]) -> str:
    """The parameters as a caller writes them: names with defaults, without `self` and without types."""
    known = list(inspect.signature(method).parameters.values())[1:]
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in known]
    return str(inspect.Signature(plain))


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
