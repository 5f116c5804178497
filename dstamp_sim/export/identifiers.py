"""Names of a model as identifiers and comments of another language, whatever characters they have."""

from __future__ import annotations

import re


class Identifiers:
    """Makes identifiers of ASCII letters, digits and underscores: each only once, and none that is reserved."""

    def __init__(self, reserved: frozenset[str]) -> None:
        self._taken = set(reserved)

    def given(self, name: str) -> str:
        """The identifier for a name, at most 40 characters of it; the same calls return the same identifiers."""
        plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:40] or "unnamed"
        plain = f"_{plain}" if plain[0].isdigit() else plain
        chosen, number = plain, 1
        while chosen in self._taken:
            number += 1
            chosen = f"{plain}_{number}"
        self._taken.add(chosen)
        return chosen


def comment(words: str) -> str:
    """Words for inside a C comment, on one line of ASCII, shortened if they are long."""
    ascii_only = words.encode("ascii", "backslashreplace").decode("ascii")
    safe = " ".join(ascii_only.replace("*/", "* /").replace("/*", "/ *").split())
    return safe if len(safe) <= 400 else safe[:399] + "~"
