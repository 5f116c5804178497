"""`GitCheckout` by the git command on real repositories, held half done where the model sees them so."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dstamp_sim.conformance.keeper import IMAGE
from dstamp_sim.core.op import Op
from dstamp_sim.core.shared_object import Outcome
from dstamp_sim.objects.git_checkout import GitCheckout, Worktree

COMPOSE = "compose.yml"
"""The recipe's compose file: its first line names the commit that it belongs to."""

_COMPOSED = """\
# {name}
version: "3.8"
services:
  app:
    image: {image}
    command: ["/bin/busybox", "sleep", "1000000"]
    environment: ["CONTENT={name}"]
    networks: [host]
networks:
  host:
    external: true
    name: host
"""

_HELD = "zz-held"
"""The last file of the tree: when git writes it, all others are written, and HEAD has not moved."""

OVERLAY = "compose.ccci.yml"
"""The untracked file that the harness puts into a tree."""

# Both report that git has come so far, and wait for a signal: the filter while git writes the last file, under
# index.lock; the hook when the index is committed and its lock released, before HEAD moves.
_WAIT = 'if [ -n "${DSTAMP_REACHED:-}" ]; then echo >"$DSTAMP_REACHED"; read -r _ <"$DSTAMP_GO"; fi'

_QUIET = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def git(folder: Path, *args: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    """The git command in `folder`, with the repository's configuration only."""
    return subprocess.run(
        ["git", "-C", str(folder), *args],
        env=_env(**more),
        capture_output=True,
        text=True,
        check=check,
        stdin=subprocess.DEVNULL,
    )


def _env(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **_QUIET, **more}


class Recipe:
    """The mirror of a small recipe: a commit for every name that a model uses, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._shas: dict[str, str] = {}
        folder.mkdir()
        git(folder, "init", "--quiet", "--initial-branch=main")

    def sha(self, name: str) -> str:
        """The real commit of the model's commit `name`; it is tagged `at-<name>`."""
        if name not in self._shas:
            (self.folder / COMPOSE).write_text(_COMPOSED.format(name=name, image=IMAGE))
            (self.folder / _HELD).write_text(f"{name}\n")
            git(self.folder, "add", "--all")
            who = ("-c", "user.name=dstamp", "-c", "user.email=dstamp@localhost")
            git(self.folder, *who, "commit", "--quiet", "--allow-empty", "-m", name)
            git(self.folder, "tag", f"at-{name}")
            self._shas[name] = git(self.folder, "rev-parse", "HEAD").stdout.strip()
        return self._shas[name]

    def name(self, sha: str) -> str:
        """The model's name of a real commit; the commit itself if it has none."""
        return next((name for name, known in self._shas.items() if known == sha), sha)

    def new_tag(self, count: int) -> None:
        """Makes a tag for a fetch to fetch."""
        git(self.folder, "tag", f"new-{count}", "HEAD")


class CheckoutHand:
    """Performs the verbs of a checkout in one process; commits are real ones."""

    def __init__(self, mirror: Path, tree: Path) -> None:
        self.mirror, self.tree = mirror, tree
        self._held: _Held | None = None

    def perform(self, verb: str, args: tuple[Any, ...], *, wait: bool) -> Any:
        """Returns commits where the model returns commits."""
        match verb, args:
            case "clone", (sha,):
                return self._clone(sha)
            case "head", ():
                return read_head(self.tree)
            case "is_dirty", ():
                return is_dirty(self.tree)
            case "files", ():
                return read_files(self.tree)
            case "fetch_tags", ():
                git(self.tree, "fetch", "--quiet", str(self.mirror), "refs/tags/*:refs/tags/*")
            case "add_overlay", ():
                (self.tree / OVERLAY).write_text("services:\n  app:\n    environment: [CI=1]\n")
            case "checkout_at_once", (sha,):
                return git_checkout(self.tree, sha)
            case "begin_checkout", (sha, "git"):
                self._held = _Held(self.tree, sha)
                return self._held.on()
            case "release_index" | "end_checkout", (_, *order) if order != ["go-git"]:
                assert self._held is not None
                self._held.on()
            case "begin_checkout", (sha, "go-git"):
                (self.tree / ".git" / "HEAD").write_text(f"{sha}\n")
                return True
            case "end_checkout", (sha, "go-git"):
                write_files(self.tree, sha)
        return None

    def _clone(self, sha: str) -> bool:
        if self.tree.exists():
            return False
        part = self.tree.with_name(f"{self.tree.name}.{os.getpid()}")
        filters = ("-c", "filter.held.clean=cat", "-c", f"filter.held.smudge=cat; {_WAIT}")
        git(self.mirror, "clone", "--quiet", "--shared", "--no-checkout", *filters, str(self.mirror), str(part))
        hook = part / ".git" / "hooks" / "post-index-change"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{_WAIT}\n")
        hook.chmod(0o755)
        (part / ".git" / "info" / "attributes").write_text(f"{_HELD} filter=held\n")
        git_checkout(part, sha)
        part.rename(self.tree)
        return True


class _Held:
    """A `git checkout` that stops in the two places where `_WAIT` is, until `on` is called."""

    def __init__(self, tree: Path, sha: str) -> None:
        os.utime(tree / _HELD, (1, 1)) if (tree / _HELD).exists() else None  # so that git writes it in any case
        self._reached, reached = os.pipe()
        go, self._go = os.pipe()
        self._process = subprocess.Popen(
            ["git", "-C", str(tree), "checkout", "--quiet", "--force", "--detach", sha],
            env=_env(DSTAMP_REACHED=f"/proc/self/fd/{reached}", DSTAMP_GO=f"/proc/self/fd/{go}"),
            pass_fds=(reached, go),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        os.close(reached)
        os.close(go)
        self._begun = False

    def on(self) -> bool:
        """Lets git go on to the next stop, or to its end; returns whether it succeeded."""
        if self._begun:
            os.write(self._go, b"\n")
        self._begun = True
        if os.read(self._reached, 1):
            return True
        os.close(self._reached)
        os.close(self._go)
        _, errors = self._process.communicate()
        return _succeeded(self._process.returncode, errors.decode())


def git_checkout(tree: Path, sha: str) -> bool:
    """`git checkout --force`; False if another holds index.lock. Raises RuntimeError if it fails in another way."""
    done = git(tree, "checkout", "--quiet", "--force", "--detach", sha, check=False)
    return _succeeded(done.returncode, done.stderr)


def _succeeded(code: int, errors: str) -> bool:
    if code and "index.lock': File exists" not in errors:
        raise RuntimeError(f"git checkout failed: {errors.strip()}")
    return code == 0


def write_files(tree: Path, sha: str) -> None:
    """The files and the index of a commit, without index.lock, as go-git writes them."""
    index = tree / ".git" / f"index.{os.getpid()}"
    git(tree, "read-tree", sha, GIT_INDEX_FILE=str(index))
    git(tree, "checkout-index", "--all", "--force", "--index", GIT_INDEX_FILE=str(index))
    index.rename(tree / ".git" / "index")


def read_head(tree: Path) -> str | None:
    """The commit of HEAD; None if there is no checkout."""
    return git(tree, "rev-parse", "HEAD").stdout.strip() if tree.exists() else None


def is_dirty(tree: Path) -> bool:
    """Whether `git status` lists anything, except for the file at which checkouts are held."""
    if not tree.exists():
        return False
    listed = git(tree, "--no-optional-locks", "status", "--porcelain", "--", ".", f":!{_HELD}")
    return bool(listed.stdout.strip())


def read_files(tree: Path) -> str | None:
    """The model's name of the commit whose compose file lies in the tree."""
    return (tree / COMPOSE).read_text().splitlines()[0].removeprefix("# ") if tree.exists() else None


class RealGitCheckout:
    """The counterpart of a `GitCheckout`: one working tree, or one for each process where it is private."""

    def __init__(self, target: GitCheckout, folder: Path) -> None:
        self.target = target
        self.folder = folder
        folder.mkdir()
        self.mirror = Recipe(folder / "mirror")
        self._tags = 0

    def tree(self, process: str) -> Path:
        """The working tree that a process uses."""
        return self.folder / (f"tree-{quote(process, safe='')}" if self.target.private else "tree")

    def hand(self, process: str) -> CheckoutHand:
        """The hand that performs its verbs in the worker of a process."""
        return CheckoutHand(self.mirror.folder, self.tree(process))

    def real_args(self, process: str, op: Op, hint: str) -> tuple[Any, ...] | None:
        """The model's commits as real ones."""
        if op.verb == "fetch_tags":
            self._tags += 1
            self.mirror.new_tag(self._tags)
        if not op.args:
            return ()
        return (self.mirror.sha(str(op.args[0])), *op.args[1:])

    def model_result(self, worker_pid: int, op: Op, raw: Any, outcomes: Sequence[Outcome]) -> Hashable:
        """Real commits as the model's."""
        if op.verb == "head" and raw is not None:
            return self.mirror.name(raw)
        given: Hashable = raw
        return given

    def died(self, worker_pid: int) -> None:
        """Does nothing: git leaves everything as it is."""

    def look(self, process: str) -> Hashable:
        """HEAD, files, overlay, index.lock, and the index if its commit is not that of the files."""
        tree = self.tree(process)
        if not tree.exists():
            return self.target.initial
        head = read_head(tree)
        index = git(tree, "show", f":{COMPOSE}").stdout.splitlines()[0].removeprefix("# ")
        lock = (tree / ".git" / "index.lock").exists()
        name = None if head is None else self.mirror.name(head)
        return Worktree(name, None, (tree / OVERLAY).exists(), lock).with_files(read_files(tree), index)

    def seen(self, state: Any) -> Hashable:
        """All of a model's state can be seen."""
        whole: Worktree = state
        return whole

    def close(self) -> None:
        """Does nothing: nothing is kept open."""


def git_version() -> str:
    """What `git --version` says; "missing" if there is no git."""
    try:
        return subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except OSError:
        return "missing"
