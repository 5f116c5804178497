"""A store keeps versions, refuses conditional changes of another one, and may show an older one."""

import pytest

from dstamp_sim import ModelError, Process, Program, Store, System, Verdict, Version, at_end, explore
from dstamp_sim.objects.store import Stored

store, stale = Store("store"), Store("stale", "old", stale=1)
EMPTY = store.initial


def after(item, state, *ops):
    """The state after `ops` and the last result; each must have one outcome."""
    result = None
    for op in ops:
        (outcome,) = item.outcomes(state, op)
        state, result = outcome.state, outcome.result
    return state, result


def test_it_begins_with_version_0_of_its_initial_value():
    assert after(store, EMPTY, store.get()) == (EMPTY, Version(None, 0))
    assert stale.initial == Stored("old")


def test_a_put_makes_the_next_version_and_returns_its_number():
    assert after(store, EMPTY, store.put("a"), store.put("a"))[1] == 2


def test_a_put_of_another_version_than_the_newest_is_refused():
    one, _ = after(store, EMPTY, store.put("a"))
    assert after(store, one, store.put_if(0, "b")) == (one, False)
    assert after(store, one, store.put_if(1, "b")) == (Stored("b", 2), True)


def test_values_are_compared_by_type_too():
    one, _ = after(store, EMPTY, store.put(1))
    assert after(store, one, store.compare_and_set(True, "b"))[1] is False
    assert after(store, one, store.compare_and_set(1, "b"))[1] is True


def test_a_delete_is_a_version_without_value():
    one, _ = after(store, EMPTY, store.put("a"))
    assert after(store, one, store.compare_and_delete("b")) == (one, False)
    assert after(store, one, store.compare_and_delete("a")) == (Stored(None, 2), True)


def test_a_lower_fencing_token_than_was_seen_is_refused_and_the_same_is_not():
    two, _ = after(store, EMPTY, store.put_fenced(2, "b"))
    assert after(store, two, store.put_fenced(1, "a")) == (two, False)
    assert after(store, two, store.put_fenced(2, "c"))[1] is True


def test_a_read_may_return_as_many_versions_before_the_newest_as_may_be_stale():
    state, _ = after(stale, stale.initial, stale.put("new"), stale.put("newer"))
    read = stale.outcomes(state, stale.get())
    assert [(one.result.value, one.label) for one in read] == [("newer", ""), ("new", "stale")]
    assert after(stale, state, stale.get(strong=True))[1] == Version("newer", 2)


@pytest.mark.parametrize("number", [-1, 1.0, True])
def test_another_number_of_stale_versions_is_refused(number):
    with pytest.raises(ModelError, match=r"Store 's': stale=.*must be a number from 0 on"):
        Store("s", stale=number)


@pytest.mark.parametrize(("conditional", "verdict"), [(True, Verdict.HOLDS), (False, Verdict.VIOLATED)])
def test_updates_from_stale_reads_are_lost_unless_they_are_conditional(conditional, verdict):
    item = Store("n", 0, stale=1)

    def adds() -> Program[bool]:
        seen = yield item.get()
        if conditional:
            return (yield item.put_if(seen.number, seen.value + 1))
        yield item.put(seen.value + 1)
        return True

    counts = at_end("all count", lambda added, state: state[item].value == sum(added.values()), reads=[item])
    system = System(objects=[item], processes=[Process("p", adds, copies=2)], properties=[counts])
    assert explore(system).judgement("all count").verdict is verdict
