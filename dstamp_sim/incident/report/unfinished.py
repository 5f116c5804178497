"""What an interrupted judgement had found: the finished rows, and that it is not the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from dstamp_sim.incident.judge_mechanisms import JudgementInterrupted
from dstamp_sim.incident.report.summarise import mechanism_row
from dstamp_sim.rendering.document import Document, Paragraph, Table, Text, strong


def unfinished(stopped: JudgementInterrupted) -> Document:
    """The finished rows in a table, those alike in one; the first sentence says that it is not the whole."""
    head = strong(f"Interrupted: {len(stopped.rows)} of {stopped.in_all} rows are judged"), "; nothing was weighed."
    same = Counter((row.mechanism, row.verdict.value, row.why) for row in stopped.rows)
    rows: list[tuple[Text, ...]] = [(name, verdict, str(count), why) for (name, verdict, why), count in same.items()]
    table = Table(("mechanism", "verdict", "readings", "why"), tuple(rows))
    return Document("", (Paragraph(head), *([table] if rows else [])))


def unfinished_json(stopped: JudgementInterrupted) -> dict[str, Any]:
    """The same for other programs."""
    return {
        "interrupted": True,
        "rows_judged": len(stopped.rows),
        "rows_in_all": stopped.in_all,
        "mechanisms": [asdict(mechanism_row(row)) for row in stopped.rows],
    }
