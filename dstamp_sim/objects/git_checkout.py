"""A git working tree that several programs may use: HEAD, worktree, untracked files, and checkouts in two phases."""

from __future__ import annotations

from typing import Literal, NamedTuple

from dstamp_sim.core.op import Op, Program, delay
from dstamp_sim.core.shared_object import Outcome, SharedObject

CheckoutOrder = Literal["git", "go-git"]
"""Who checks out: the git command, or the go-git library."""


LOCKED = "index.lock exists"
"""The label of a checkout that failed at once."""


class Worktree(NamedTuple):
    """A checkout's state: the commits of HEAD and of the files (None: not cloned), untracked overlay, `index.lock`.

    `staged` is the commit of the index where that is not the files'.
    """

    head: str | None = None
    tree: str | None = None
    overlay: bool = False
    index_lock: bool = False
    staged: str | None = None

    def with_files(self, tree: str | None, index: str | None) -> Worktree:
        """This checkout with other files and another index."""
        return self._replace(tree=tree, staged=None if index == tree else index)


class GitCheckout(SharedObject):
    """One working tree.

    - `git checkout` writes the files first, then the index, both under `index.lock`, and HEAD last, *after* that lock
      is released. A second one fails at once while the lock is there; one that comes between lock and HEAD succeeds,
      and the first then moves HEAD away from the other's files (found by running git: docs/held-against-reality.md).
    - go-git moves HEAD first, then the files, and takes no `index.lock`.
    - Untracked, non-ignored files count as dirty, and survive a checkout.
    - A fetch of tags never moves HEAD.
    - A `git checkout` killed under `index.lock` leaves it behind.

    A checkout is several ops (`begin_checkout`, for git `release_index`, `end_checkout`), so that others see it half
    done; `checkout` performs them all. Commits are `git checkout --force`d: changed files do not stop a checkout.
    """

    def __init__(self, name: str, initial: Worktree = Worktree(), *, private: bool = False) -> None:  # noqa: B008 - immutable
        super().__init__(name, initial, private=private)

    def clone(self, commit: str) -> Op:
        """Makes a clean checkout of `commit` if there is none; returns whether it did."""
        return self.op("clone", commit)

    def head(self) -> Op:
        """Returns the commit of HEAD."""
        return self.op("head")

    def is_dirty(self) -> Op:
        """Returns whether files or index differ from HEAD or untracked files lie about."""
        return self.op("is_dirty")

    def files(self) -> Op:
        """Returns the commit whose files are in the worktree (the compose files among them)."""
        return self.op("files")

    def fetch_tags(self) -> Op:
        """Fetches tags; HEAD and files stay. Returns None."""
        return self.op("fetch_tags")

    def add_overlay(self) -> Op:
        """Puts an untracked file into the worktree. Returns None."""
        return self.op("add_overlay")

    def begin_checkout(self, commit: str, order: CheckoutOrder = "git") -> Op:
        """The first part of a checkout (git: the files, under index.lock; go-git: HEAD); False if it failed at once."""
        return self.op("begin_checkout", commit, order)

    def release_index(self, commit: str) -> Op:
        """The index is written and `index.lock` is gone, HEAD has not moved yet (git only). Returns None."""
        return self.op("release_index", commit)

    def end_checkout(self, commit: str, order: CheckoutOrder = "git") -> Op:
        """The last part of a checkout (git: HEAD; go-git: index and files). Returns None."""
        return self.op("end_checkout", commit, order)

    def checkout_at_once(self, commit: str) -> Op:
        """A whole `git checkout` as one op, where a torn one is not the question; returns False under `index.lock`."""
        return self.op("checkout_at_once", commit)

    def checkout(self, commit: str, order: CheckoutOrder = "git") -> Program[bool]:
        """All parts of a checkout, with the delay "checkout" after the first; returns whether it succeeded."""
        if not (yield self.begin_checkout(commit, order)):
            return False
        yield delay("checkout")
        if order == "git":
            yield self.release_index(commit)
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
                return (Outcome(state, state.overlay or state.tree != state.head or state.staged is not None),)
            case "files", ():
                return (Outcome(state, state.tree),)
            case "fetch_tags", ():
                return (Outcome(state),)
            case "add_overlay", ():
                return (Outcome(state._replace(overlay=True)),)
            case "checkout_at_once", (str(commit),):
                if state.index_lock:
                    return (Outcome(state, False, LOCKED),)
                return (Outcome(state._replace(head=commit, tree=commit, staged=None), True),)
            case "begin_checkout", (str(commit), ("git" | "go-git") as order):
                return (_begun(state, commit, order),)
            case "release_index", (str(commit),):
                return (Outcome(state.with_files(state.tree, commit)._replace(index_lock=False)),)
            case "end_checkout", (str(commit), "git"):
                return (Outcome(state._replace(head=commit)),)
            case "end_checkout", (str(commit), "go-git"):
                return (Outcome(state._replace(tree=commit, staged=None)),)
        raise self.unknown_verb(op)


def _begun(state: Worktree, commit: str, order: object) -> Outcome:
    if order == "go-git":
        return Outcome(state._replace(head=commit), True)
    if state.index_lock:
        return Outcome(state, False, LOCKED)
    return Outcome(state.with_files(commit, state.staged or state.tree)._replace(index_lock=True), True)
