"""Numbers of things in words."""


def many(count: int, what: str) -> str:
    """`1 state`, `12,000 states`."""
    return f"{count:,} {what}{'s' * (count != 1)}"
