"""A git working tree that several programs may use: HEAD, worktree, untracked files, and checkouts in two phases."""

from __future__ import annotations

from typing import Literal, NamedTuple

from dstamp_sim.core.op import Op, Program, delay
from dstamp_sim.core.shared_object import Outcome, SharedObject

Order = Literal["git", "go-git"]
"""Who checks out: the git command, or the go-git library that abra uses."""


class Worktree(NamedTuple):
    """A checkout's state: the commits of HEAD and of the files (None: not cloned), untracked overlay, `index.lock`."""

    head: str | None = None
    tree: str | None = None
    overlay: bool = False
    index_lock: bool = False


class GitCheckout(SharedObject):
    """One working tree `$ABRA_DIR/recipes/<recipe>` (DOMAIN, "flock, git" and "abra and the harness").

    - `git checkout` writes the worktree first and HEAD last, under `index.lock`; a second one fails at once.
    - go-git moves HEAD first, then the files, and takes no `index.lock`.
    - Untracked, non-ignored files count as dirty, and survive a checkout.
    - A fetch of tags never moves HEAD.
    - A killed `git checkout` leaves its `index.lock` behind.

    A checkout is two ops (`begin_checkout`, `end_checkout`), so others see it half done; `checkout` performs both.
    """

    def __init__(self, name: str, initial: Worktree = Worktree(), *, private: bool = False) -> None:  # noqa: B008
        super().__init__(name, initial, private=private)

    def clone(self, commit: str) -> Op:
        """Makes a clean checkout of `commit` if there is none; gives whether it did."""
        return self.op("clone", commit)

    def head(self) -> Op:
        """Gives the commit of HEAD."""
        return self.op("head")

    def is_dirty(self) -> Op:
        """Gives whether files differ from HEAD or untracked ones lie about."""
        return self.op("is_dirty")

    def files(self) -> Op:
        """Gives the commit whose files are in the worktree (the compose files among them)."""
        return self.op("files")

    def fetch_tags(self) -> Op:
        """Fetches tags; HEAD and files stay. Gives None."""
        return self.op("fetch_tags")

    def add_overlay(self) -> Op:
        """Puts an untracked file into the worktree. Gives None."""
        return self.op("add_overlay")

    def begin_checkout(self, commit: str, order: Order = "git") -> Op:
        """The first half of a checkout (git: the files, under index.lock; go-git: HEAD); False if it failed at once."""
        return self.op("begin_checkout", commit, order)

    def end_checkout(self, commit: str, order: Order = "git") -> Op:
        """The second half of a checkout (git: HEAD; go-git: the files). Gives None."""
        return self.op("end_checkout", commit, order)

    def checkout_at_once(self, commit: str) -> Op:
        """A whole checkout as one op, for models where a torn one is not the question; gives True."""
        return self.op("checkout_at_once", commit)

    def checkout(self, commit: str, order: Order = "git") -> Program[bool]:
        """Both halves of a checkout with the delay "checkout" between; gives whether it succeeded."""
        if not (yield self.begin_checkout(commit, order)):
            return False
        yield delay("checkout")
        yield self.end_checkout(commit, order)
        return True

    def outcomes(self, state: Worktree, op: Op) -> tuple[Outcome, ...]:
        """Deterministic; nothing blocks."""
        match op.verb, op.args:
            case "clone", (str(commit),):
                fresh = state.head is None
                return (Outcome(Worktree(commit, commit) if fresh else state, fresh),)
            case "head", ():
                return (Outcome(state, state.head),)
            case "is_dirty", ():
                return (Outcome(state, state.overlay or state.tree != state.head),)
            case "files", ():
                return (Outcome(state, state.tree),)
            case "fetch_tags", ():
                return (Outcome(state),)
            case "add_overlay", ():
                return (Outcome(state._replace(overlay=True)),)
            case "checkout_at_once", (str(commit),):
                return (Outcome(state._replace(head=commit, tree=commit), True),)
            case "begin_checkout", (str(commit), ("git" | "go-git") as order):
                return (_begun(state, commit, order),)
            case "end_checkout", (str(commit), "git"):
                return (Outcome(state._replace(head=commit, index_lock=False)),)
            case "end_checkout", (str(commit), "go-git"):
                return (Outcome(state._replace(tree=commit)),)
        raise self.unknown_verb(op)


def _begun(state: Worktree, commit: str, order: object) -> Outcome:
    if order == "go-git":
        return Outcome(state._replace(head=commit), True)
    if state.index_lock:
        return Outcome(state, False, "index.lock exists")
    return Outcome(state._replace(tree=commit, index_lock=True), True)
