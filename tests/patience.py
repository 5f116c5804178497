"""How long tests wait for what must happen: a busy machine takes its time, and no test that passes waits in vain."""

from collections.abc import Callable
from time import monotonic, sleep

PATIENCE_S = 900.0
"""After this many seconds what has not happened is taken never to happen."""


def until(holds: Callable[[], bool]) -> None:
    """Waits until `holds()` is true.

    Of a page, instead of Playwright's `wait_for_function`: that evaluates text in the page, which its policy forbids.
    """
    last = monotonic() + PATIENCE_S
    while not holds():
        assert monotonic() < last, "it never held"
        sleep(0.02)
