"""What a model may not do to the process that runs it: refused where it tries, so that the error has its line.

A model is code and nothing makes it safe. This is against accidents and jokes: no exit code of a verdict without one,
no signal, thread or process that outlives the command, no Python that means something else afterwards.
"""

from __future__ import annotations

import _thread
import linecache
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType, ModuleType
from typing import Any

from dstamp_sim.core.errors import ModelError
from dstamp_sim.core.place import MODELS, Place, is_model, is_python

_PROCESS = "start a process: nobody would end it with this command"
_IN_C = "call C, or read memory, by itself: nothing checks what that does"
_EVENTS = {
    "os.exec": "put another program in this one's place",
    "os.chdir": "leave the current folder: files would be looked for, and written, elsewhere",
    "os.fork": "fork: a second process would go on with this command",
    "os.forkpty": "fork: a second process would go on with this command",
    "os.posix_spawn": _PROCESS,
    "os.system": _PROCESS,
    "subprocess.Popen": _PROCESS,
    "os.kill": "send signals",
    "os.killpg": "send signals",
    "signal.pthread_kill": "send signals",
    "resource.setrlimit": "limit this process",
    "resource.prlimit": "limit this process",
    "sys.settrace": "watch or change what Python does",
    "sys.setprofile": "watch or change what Python does",
    "sys.addaudithook": "watch or change what Python does",
    **dict.fromkeys(("ctypes.dlsym", "ctypes.string_at", "ctypes.wstring_at", "ctypes.cdata"), _IN_C),
}
"""What no model does, by the name of Python's audit event."""

_EXIT = "end the process, for then there is no verdict"
_SIGNAL = "take signals or timers of this process"
_STREAM = "close or redirect what it did not open"
_THREAD = "start a thread: no order of its steps is explored"
_NOT_CALLED: tuple[tuple[Any, tuple[str, ...], str], ...] = (
    (os, ("_exit", "abort"), _EXIT),
    (os, ("close", "closerange", "dup2"), _STREAM),
    (os, ("setsid", "setpgid", "setpgrp", "umask"), "change the process that it runs in"),
    (signal, ("signal", "setitimer", "alarm", "pthread_sigmask", "set_wakeup_fd", "raise_signal"), _SIGNAL),
    (_thread, ("start_new_thread",), _THREAD),
    (threading.Thread, ("start",), _THREAD),
    (sys, ("setrecursionlimit",), "change how deep Python may call"),
)
"""What no model calls, and why: for these there is no audit event."""

_active = threading.Event()


def _refuse(event: str, _: object) -> None:
    if event in _EVENTS and _active.is_set() and _of_a_model(sys._getframe(1)):
        raise RuntimeError(f"a model must not {_EVENTS[event]}")


def _of_a_model(frame: FrameType | None) -> bool:
    """Whether a model's line asked for this, itself or through Python's own modules."""
    while frame is not None and is_python(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and is_model(frame.f_code.co_filename)


sys.addaudithook(_refuse)


def _refusing(function: Callable[..., Any], why: str) -> Callable[..., Any]:
    """The function, which no model may call."""

    def call(*args: Any, **options: Any) -> Any:
        caller = sys._getframe(1)
        own = is_model(caller.f_code.co_filename) if why is _STREAM else _of_a_model(caller)  # Python closes its files
        if own or why is _EXIT:
            raise RuntimeError(f"a model must not {why}")
        return function(*args, **options)

    return call


@contextmanager
def contained() -> Iterator[None]:
    """While it lasts, a model that does any of this gets a RuntimeError, which is told with its line."""
    with ExitStack() as stack:
        for owner, names, why in _NOT_CALLED:
            for name in names:
                before = getattr(owner, name)
                stack.callback(setattr, owner, name, before)
                setattr(owner, name, _refusing(before, why))
        stack.callback(_active.clear)
        _active.set()
        yield


_callable = callable  # a model may put another in its place
_OURS = "dstamp_sim"


class Meanings:
    """What the names of Python's own modules, and of this package's modules and classes, mean as this is made."""

    def __init__(self) -> None:
        self._path = tuple(sys.path)
        self._was: list[tuple[Any, Mapping[str, Any], Mapping[str, Any]]] = []
        for name, module in [("builtins", sys.modules["builtins"]), *sys.modules.items()]:
            top = name.partition(".")[0]
            if isinstance(module, ModuleType) and (top == _OURS or top in sys.stdlib_module_names):
                self._was.append((module, vars(module), dict(vars(module))))
                if top == _OURS:
                    kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
                    self._was.extend((kind, vars(kind), dict(vars(kind))) for kind in kinds if kind.__module__ == name)

    def check(self) -> None:
        """Puts back every function and class that has another in its place. Raises ModelError if one had."""
        sys.path.extend(folder for folder in self._path if folder not in sys.path)  # the package loads itself by need
        replaced: list[tuple[str, str, object]] = []
        for owner, names, was in self._was:
            for name in was:
                if (now := names.get(name)) is not was[name] and _callable(was[name]):
                    setattr(owner, name, was[name])
                    replaced += [(owner.__name__, name, now)]
        for owner, name, now in replaced:
            library = _library_of(now)
            who = f"importing {library}" if library else "this"
            raise ModelError(
                f"{_naming(library or name)}: {who} replaced {owner}.{name}: a model must leave Python as it is"
            )


def model_files() -> list[str]:
    """The files of the models that are loaded."""
    return [module.__file__ for name, module in sys.modules.items() if name.startswith(MODELS) and module.__file__]


def _library_of(replacement: object) -> str:
    """The library whose code now stands where Python's did; empty if it is a model's, or if that cannot be known."""
    code = getattr(replacement, "__code__", None)
    module = sys.modules.get(getattr(replacement, "__module__", None) or "")
    file = code.co_filename if code else getattr(module, "__file__", None)
    if module is None or file is None or is_model(file) or module.__name__.startswith(MODELS):
        return ""
    return module.__name__.partition(".")[0]


def _naming(name: str) -> Place:
    """The first line of a model with this word."""
    files = model_files()
    for file in files:
        for number, line in enumerate(linecache.getlines(file), 1):
            if re.search(rf"\b{re.escape(name)}\b", line):
                return Place(file, number)
    return Place(files[0] if files else "a model", 1)
