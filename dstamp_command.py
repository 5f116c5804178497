"""What the `dstamp` command starts with: no more than is needed to end well while the package is still being loaded."""

import contextlib
import os
import signal
from typing import NoReturn

INTERRUPTED = 130


def main() -> None:
    """Loads the package, which takes a second or two, and runs its command line. A Ctrl-C meanwhile ends it at once.

    An exception would not: modules that are being loaded turn a KeyboardInterrupt into errors of their own.
    """
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a job in the background ignores it
    if heeded:
        signal.signal(signal.SIGINT, _leave)
    from dstamp_sim.cli import leave_threads  # noqa: PLC0415 - what takes so long
    from dstamp_sim.cli import main as command  # noqa: PLC0415 - as above

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        command()
    except SystemExit as ended:
        leave_threads(ended.code)
        raise


def _leave(*_: object) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(2, b"dstamp: interrupted\n")
    os._exit(INTERRUPTED)
