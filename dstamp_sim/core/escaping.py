"""The one place where names and texts become harmless to show: whatever steers what is around it stands as an escape.

Control characters give orders to a terminal. Marks of direction turn the rest of a line around, so that it reads as
something else than it is (Boucher and Anderson, Trojan Source, 2021).
"""

from __future__ import annotations

import re
from typing import Any

_MARKS = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_STEERS = re.compile(f"[\x00-\x08\x0b-\x1f{_MARKS}]")
_STEERS_OR_ENDS_LINE = re.compile(f"[\x00-\x1f{_MARKS}]")
_MARKS_IN_JSON = re.compile(f"[{_MARKS}]")


def harmless(text: str) -> str:
    r"""`text` with an escape that is seen in place of what steers: control characters but \t and \n, and directions."""
    return _STEERS.sub(_escape, text)


def on_one_line(text: str) -> str:
    """The same, without ends of lines and tabs: for formats that have a line for each entry."""
    return _STEERS_OR_ENDS_LINE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


def harmless_json(written: str) -> str:
    """JSON that says the same, with escapes of its own for what steers: whoever reads it has the texts as they were."""
    return _MARKS_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def harmless_inside(document: Any) -> Any:
    """A document of JSON with all its texts harmless: for a page that shows them."""
    if isinstance(document, str):
        return harmless(document)
    if isinstance(document, dict):
        return {harmless(str(name)): harmless_inside(inner) for name, inner in document.items()}
    return [*map(harmless_inside, document)] if isinstance(document, list | tuple) else document
