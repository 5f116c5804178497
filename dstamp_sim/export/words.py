"""Names as other tools can read them: nothing lost, and nothing that their formats forbid."""

from __future__ import annotations

import unicodedata


def printable(words: str) -> str:
    r"""`words` on one line, with control characters and unpaired surrogates written as `\uXXXX`; the rest stays."""
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in words)
