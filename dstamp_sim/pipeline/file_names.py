"""What the files of a property are called."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

STATES = "states"
"""The name of the page of the whole space; a property of that name has another."""

LONGEST_STEM, DIGITS = 120, 8
"""Bytes of a file's name without its suffix, and of the digest in it."""


def file_stem(model: str, name: str, properties: Iterable[str]) -> str:
    """The name, without a suffix, of the files of one of a model's `properties`; no other has the same.

    Letters and digits stay. A digest tells apart what is the same but for other characters, for case, or past the
    length that any file system takes.
    """
    plain = _plain(f"{model}-{name}")
    alike = sum(_plain(f"{model}-{other}") == plain for other in (STATES, *properties))
    if alike == 1 and len(plain.encode()) <= LONGEST_STEM:
        return plain
    cut = plain.encode()[: LONGEST_STEM - DIGITS - 1].decode(errors="ignore")
    return f"{cut}-{sha256(name.encode(errors='surrogatepass')).hexdigest()[:DIGITS]}"


def _plain(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text.casefold())
