"""A git checkout: what DOMAIN.md says of HEAD, worktree, index.lock, untracked files and tags, fact by fact."""

import pytest

from dstamp_sim import (
    GitCheckout,
    Process,
    Program,
    System,
    Verdict,
    Worktree,
    always,
    at_end,
    explore,
    reachable,
    replay,
)

git = GitCheckout("recipe", Worktree("base", "base"))
CLEAN = Worktree("base", "base")


def after(state, *ops):
    """The state after `ops` and the last result; each op must have one outcome."""
    result = None
    for op in ops:
        (outcome,) = git.outcomes(state, op)
        state, result = outcome.state, outcome.result
    return state, result


def rest_of(order: str) -> list:
    """The ops that follow `begin_checkout("head", order)`."""
    return [*([git.release_index("head")] if order == "git" else []), git.end_checkout("head", order)]


def checks_out(commit: str, order: str) -> Program[bool]:
    return (yield from git.checkout(commit, order))


def test_a_clone_makes_a_clean_checkout_and_a_second_clone_changes_nothing():
    cloned, fresh = after(Worktree(), git.clone("base"))
    assert cloned == CLEAN and fresh is True
    assert after(cloned, git.clone("head")) == (CLEAN, False)


def test_git_writes_the_files_then_the_index_under_its_lock_and_head_last_without():
    torn, _ = after(CLEAN, git.begin_checkout("head", "git"))
    assert torn == Worktree(head="base", tree="head", index_lock=True, staged="base")
    unlocked, _ = after(torn, git.release_index("head"))
    assert unlocked == Worktree(head="base", tree="head")
    assert after(unlocked, git.end_checkout("head", "git"))[0] == Worktree("head", "head")


def test_go_git_moves_head_first_and_takes_no_index_lock():
    torn, _ = after(CLEAN, git.begin_checkout("head", "go-git"))
    assert torn == Worktree(head="head", tree="base", index_lock=False)
    assert after(torn, git.end_checkout("head", "go-git"))[0] == Worktree("head", "head")


def test_a_second_git_writer_fails_at_once_on_the_index_lock():
    torn, _ = after(CLEAN, git.begin_checkout("head"))
    assert after(torn, git.begin_checkout("other")) == (torn, False)
    (refused,) = git.outcomes(torn, git.begin_checkout("other"))
    assert refused.label == "index.lock exists"


def test_go_git_is_not_stopped_by_an_index_lock():
    torn, _ = after(CLEAN, git.begin_checkout("head", "git"))
    assert after(torn, git.begin_checkout("other", "go-git"))[1] is True


def test_of_two_git_checkouts_at_once_at_least_one_succeeds_and_the_end_can_be_torn():
    """The second begins when the first has released index.lock and not moved HEAD (found by running git)."""
    torn = reachable("torn", lambda results: set(results.values()) == {True, "torn"})
    one = at_end("one succeeds", lambda results: True in results.values())
    loser = reachable("one fails", lambda results: False in results.values())

    def looks() -> Program[str]:
        yield from git.checkout("other")
        return "torn" if (yield git.head()) != (yield git.files()) else "whole"

    processes = [Process("a", checks_out, "head", "git"), Process("b", checks_out, "other", "git")]
    report = explore(System(objects=[git], processes=processes, properties=[one, loser]))
    assert report.verdict is Verdict.HOLDS
    processes = [Process("a", checks_out, "head", "git"), Process("b", looks)]
    assert explore(System(objects=[git], processes=processes, properties=[torn])).verdict is Verdict.HOLDS
    assert replay(System(objects=[git], processes=processes), "a*3 b*4 a b*2").results == {"a": True, "b": "torn"}


def test_a_go_git_checkout_beside_a_git_one_can_leave_head_and_files_of_different_commits():
    whole = at_end("whole", lambda _, state: state[git].head == state[git].tree, reads=[git])
    processes = [Process("cli", checks_out, "head", "git"), Process("abra", checks_out, "other", "go-git")]
    report = explore(System(objects=[git], processes=processes, properties=[whole]))
    assert report.judgement("whole").verdict is Verdict.VIOLATED


@pytest.mark.parametrize(("order", "stamp", "content"), [("git", "base", "head"), ("go-git", "head", "base")])
def test_a_reader_of_a_torn_checkout_sees_an_old_half_and_a_new_half(order, stamp, content):
    def reads() -> Program[tuple[str, str]]:
        return (yield git.head()), (yield git.files())

    system = System(objects=[git], processes=[Process("w", checks_out, "head", order), Process("r", reads)])
    assert replay(system, f"w r*2 w*{3 if order == 'git' else 2}").results == {"w": True, "r": (stamp, content)}


@pytest.mark.parametrize("order", ["git", "go-git"])
def test_a_torn_checkout_is_dirty_and_a_finished_one_is_clean(order):
    torn, _ = after(CLEAN, git.begin_checkout("head", order))
    assert after(torn, git.is_dirty())[1] is True
    assert after(torn, *rest_of(order), git.is_dirty())[1] is False


@pytest.mark.parametrize("order", ["git", "go-git"])
def test_an_untracked_overlay_is_dirty_and_survives_every_checkout(order):
    overlaid, _ = after(CLEAN, git.add_overlay())
    assert after(overlaid, git.is_dirty())[1] is True
    moved, dirty = after(overlaid, git.begin_checkout("head", order), *rest_of(order), git.is_dirty())
    assert moved == Worktree("head", "head", overlay=True) and dirty is True
    assert after(overlaid, git.checkout_at_once("head"))[0] == moved


def test_a_fetch_of_tags_never_moves_head_nor_touches_files():
    for state in (CLEAN, Worktree("base", "head", True, True)):
        assert after(state, git.fetch_tags()) == (state, None)


def test_a_killed_git_checkout_leaves_its_index_lock_behind_and_the_next_one_fails():
    system = System(
        objects=[git],
        processes=[Process("a", checks_out, "head", "git"), Process("b", checks_out, "x", "git")],
        crashes=1,
    )
    trace = replay(system, "a a! b")
    assert trace.results == {"b": False}


def test_a_checkout_at_once_fails_under_index_lock_too():
    torn, _ = after(CLEAN, git.begin_checkout("head"))
    assert after(torn, git.checkout_at_once("other")) == (torn, False)


def test_a_checkout_at_once_is_never_seen_torn():
    def moves() -> Program[bool]:
        return (yield git.checkout_at_once("head"))

    whole = always("whole", lambda state: state[git].head == state[git].tree, reads=[git])
    processes = [Process("p", moves, copies=2)]
    assert explore(System(objects=[git], processes=processes, properties=[whole])).verdict is Verdict.HOLDS


def test_a_checkout_per_run_keeps_the_others_out():
    mine = GitCheckout("recipe", CLEAN, private=True)

    def deploys(commit: str) -> Program[str]:
        yield from mine.checkout(commit)
        return (yield mine.head())

    own = at_end("each reads its own", lambda results: results == {"a": "x", "b": "y"})
    processes = [Process("a", deploys, "x"), Process("b", deploys, "y")]
    assert explore(System(objects=[mine], processes=processes, properties=[own])).verdict is Verdict.HOLDS
