"""Numbers of things in words."""


def many(count: int, what: str) -> str:
    """`1 state`, `12,000 states`, `2 switches`."""
    ending = "es" if what.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{count:,} {what}{ending if count != 1 else ''}"
