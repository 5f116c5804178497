"""What a model may do to the process that runs it, as it is imported and in its program; each run is a fork.

`python -m tests.hostile.misdeeds DEEDS` in an empty folder prints what came of each, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import dstamp_sim.cli
import dstamp_sim.pipeline.explore
import dstamp_sim.pipeline.files  # noqa: F401 - all that a command loads is loaded before the fork
from dstamp_command import main as dstamp
from tests.hostile.killed import below
from tests.hostile.valid import MODEL

DEEDS = {
    "leaves": "import os; os._exit(0)",
    "leaves by a helper": "import os, contextlib\nwith contextlib.ExitStack() as s: s.callback(os._exit, 0)",
    "exits": "import sys; sys.exit(0)",
    "raises SystemExit": "raise SystemExit(1)",
    "quits": "quit(0)",
    "aborts": "import os; os.abort()",
    "leaves through C": "import ctypes; ctypes.CDLL(None)._exit(0)",
    "reads where nothing is": "import ctypes; ctypes.string_at(0)",
    "kills itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "raises a signal": "import signal; signal.raise_signal(15)",
    "sets an alarm": "import signal; signal.alarm(1)",
    "sets a timer": "import signal; signal.setitimer(signal.ITIMER_REAL, 0.01)",
    "takes Ctrl-C": "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)",
    "blocks signals": "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [2, 15])",
    "limits its time": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (0, 0))",
    "limits its files": "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
    "starts a thread": "import threading; threading.Thread(target=threading.Event().wait).start()",
    "starts a daemon thread": "import threading; threading.Thread(target=print, daemon=True).start()",
    "starts a timer": "import os, threading; threading.Timer(0, os._exit, [0]).start()",
    "starts a pool": "from concurrent.futures import ThreadPoolExecutor; ThreadPoolExecutor().submit(print)",
    "starts a program": "import subprocess; subprocess.Popen(['sleep', '1000'])",
    "asks a shell": "import os; os.system('sleep 1000 &')",
    "spawns": "import os; os.posix_spawn('/bin/sleep', ['sleep', '1000'], {})",
    "starts a process": "import multiprocessing; multiprocessing.get_context('fork').Process(target=print).start()",
    "forks": "import os; os.fork()",
    "becomes another": "import os; os.execv('/bin/true', ['true'])",
    "goes elsewhere": "import os; os.chdir('/')",
    "leaves its session": "import os; os.setsid()",
    "closes files": "import os; os.closerange(0, 100)",
    "redirects files": "import os; [os.dup2(os.open('/dev/null', 1), n) for n in range(20)]",
    "watches": "import sys; sys.settrace(lambda *_: None)",
    "calls no deeper": "import sys; sys.setrecursionlimit(60)",
    "presses Ctrl-C": "raise KeyboardInterrupt",
    "raises an error of the package": "from dstamp_sim.core.errors import UsageError\nraise UsageError('HOLDS')",
}
"""Refused with the line, or told as the model's error."""

REPLACED = {
    "builtins.len": "import builtins; builtins.len = lambda *_: 0",
    "builtins.isinstance": "import builtins; builtins.isinstance = lambda *_: True",
    "builtins.all": "import builtins; builtins.all = lambda *_: True",
    "builtins.open": "import builtins; builtins.open = None",
    "builtins.print (taken away)": "import builtins; vars(builtins).pop('print', None)",
    "json.dumps": "import json; json.dumps = lambda *_, **__: 'HOLDS'",
    "os.fsync": "import os; os.fsync = print",
    "sys.exit": "import sys; sys.exit = print",
    "sys.excepthook": "import sys; sys.excepthook = lambda *_: None",
    "sys.unraisablehook": "import sys; sys.unraisablehook = lambda *_: None",
    "dstamp_sim.core.verdict.certify": "import dstamp_sim.core.verdict as v; v.certify = lambda *_: v.Verdict.HOLDS",
    "Coverage.__init__": "from dstamp_sim.core.verdict import Coverage; Coverage.__init__ = lambda *_, **__: None",
}
"""Told with the line that replaced it."""

CRASHES = {
    "writes where nothing is": "import ctypes; ctypes.memmove(0, 0, 1)",
    "aborts in C": "import faulthandler; faulthandler._sigabrt()",
}
"""What only C sees: told with the line, and exit code 70."""

HARMLESS = {
    "takes the output": "import sys; sys.stdout = open('/dev/null', 'w')",
    "takes both outputs": "import sys; sys.stdout = sys.stderr = None",
    "closes the output": "import sys; sys.stdout.close()",
    "has the last word": "import atexit, os; atexit.register(os._exit, 0)",
    "raises as it is dropped": "class X:\n    def __del__(self): raise ValueError('x')\nX()",
    "presses Ctrl-C as it is dropped": "class X:\n    def __del__(self): raise KeyboardInterrupt\nX()",
    "presses Ctrl-C as a generator is closed": (
        "def g():\n    try: yield\n    finally: raise KeyboardInterrupt\nx = g(); next(x); del x"
    ),
    "takes the environment": "import os; os.environ.clear()",
    "takes the paths": "import sys; sys.path.clear()",
    "takes the modules": "import sys; [sys.modules.pop(n) for n in list(sys.modules) if 'render' in n]",
    "makes warnings errors": "import warnings; warnings.simplefilter('error')",
    "stops collecting": "import gc; gc.disable(); gc.set_threshold(1)",
    "says a million letters": "print('x' * 1_000_000)",
}
"""The verdict is as it would be without."""


def imported(deed: str) -> str:
    """The model, which does it as it is imported; from line 1 on."""
    return f"{deed}\n{MODEL}"


def in_program(deed: str) -> str:
    """The model, whose program does it after its first step."""
    lines = "".join(f"    {line}\n" for line in deed.splitlines())
    return MODEL.replace("    yield r.write", f"{lines}    yield r.write")


def tried(text: str) -> dict[str, Any]:
    """What comes of exploring this model: its exit code (less than 0: by a signal), what it said, what it left."""
    Path("m.py").write_text(text)
    pid = os.fork()
    if pid == 0:
        _explore()
    end = time.monotonic() + 60
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.005)
    if ended == (0, 0):
        os.kill(pid, signal.SIGKILL)
        ended = os.waitpid(pid, 0)
    left = below(os.getpid())
    for one in left:
        os.kill(one, signal.SIGKILL)
    said = {name: Path(f"said.{name}").read_text(errors="replace") for name in ("out", "err")}
    return said | {"code": os.waitstatus_to_exitcode(ended[1]), "left": len(left)}


def _explore() -> None:
    for number, name in ((1, "said.out"), (2, "said.err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["dstamp", "explore", "m.py"]
    dstamp()


def main() -> None:
    """See the module."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    deeds = DEEDS | REPLACED | CRASHES | HARMLESS
    found = {name: [tried(imported(deeds[name])), tried(in_program(deeds[name]))] for name in sys.argv[1:]}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
