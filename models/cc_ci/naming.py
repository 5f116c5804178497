"""Names and commits of the incident (its document's words)."""

from hashlib import sha256

RECIPE = "discourse"
HEAD = "7ae7b0f76efb"
BASE = "eb96de94"


def app_domain(recipe: str, pr: int, ref: str) -> str:
    """The swarm stack of a run: equal for equal (recipe, pr, ref). The hash is not documented; SHA-256 is assumed."""
    digest = sha256(f"{recipe}|{pr}|{ref}".encode()).hexdigest()
    return f"{recipe[:4]}-{digest[:6]}.ci.commoninternet.net"


def small_sha(commit: str) -> str:
    """The first eight digits, as abra's SmallSHA returns them."""
    return commit[:8]


def commit_of(stamp: str) -> str:
    """A stamp without the `+U` of a dirty tree."""
    return stamp.removesuffix("+U")
