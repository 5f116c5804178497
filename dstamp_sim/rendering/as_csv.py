"""Tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from dstamp_sim.core.escaping import harmless


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Any]], end: str = "\r\n") -> str:
    """The table as CSV, its texts without what would steer a terminal."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator=end)
    for row in (head, *rows):
        table.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return written.getvalue()
