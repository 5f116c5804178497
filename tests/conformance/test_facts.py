"""Single facts of the real things that the models rest on, each by running it: the witnesses, the stand-in, swarm."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dstamp_sim import REJECTED, Spec, explore, replay
from dstamp_sim.conformance.conform import broken_by, one_trial
from dstamp_sim.conformance.play import follow
from dstamp_sim.conformance.real_git import CheckoutHand, Recipe, git, read_files, read_head
from dstamp_sim.conformance.real_swarm import NOW, ServiceHand
from dstamp_sim.inputs.model_file import load_model
from tests.patience import PATIENCE_S

MECHANISMS = ("stack_race", "checkout_race", "torn_checkout", "swarm_rollback")

# What `dstamp review` recommends: one span, or a pair.
RECOMMENDED = (
    "deploy_app_to_check",
    "deploy_app+redeploy_to_check",
    "app-domain:deploy_app..chaos_redeploy,app-domain:check_hc1",
)


@pytest.mark.needs("git", "dockerd", "busybox")
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_shortest_witness_ends_with_the_same_wrong_stamp_on_a_real_label(mechanism, conform, engine):
    system = load_model(f"cc_ci:{mechanism}").build({})
    witness = explore(system).judgement("HC1 reads no wrong commit").trace
    seen, play = [], follow(witness.schedule)

    def choose(semantics, state):
        if conform.parts:
            seen.extend(part.labels for part in conform.parts.values() if hasattr(part, "labels"))
        return play(semantics, state)

    real = conform(system, choose, engine, strict=True)
    assert real.results == witness.results
    wrong = next(result.stamp for result in real.results.values() if result.wrong_commit)
    assert [value for key, value in seen[-1].items() if key.endswith(".chaos-version")] == [wrong] == ["eb96de94+U"]
    assert replay(system, real.schedule).results == witness.results


PARTS = 4
"""Of the trials of a placement, for test processes to share."""


@pytest.mark.slow
@pytest.mark.needs("git", "dockerd", "busybox")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("placement", RECOMMENDED)
def test_a_recommended_placement_survives_free_running_trials(
    placement, part, engine, real_forker, real_folder, trials
):
    model = load_model("cc_ci")

    def trial(number):
        system = model.build({}, placement)
        folder = real_folder / f"{RECOMMENDED.index(placement)}-{os.getpid()}-{number}"
        trace = one_trial(system, real_forker, folder, engine, number=number, seed=8, delay_s=0.02)
        assert REJECTED not in trace.results.values()
        return broken_by(system, trace)

    with ThreadPoolExecutor(4) as pool:
        assert set().union(*pool.map(trial, range(part, trials, PARTS))) == set()


@pytest.fixture
def recipe(tmp_path):
    """A mirror with the commits base and head, and a clone of it at head."""
    mirror = Recipe(tmp_path / "mirror")
    base, head = mirror.sha("base"), mirror.sha("head")
    tree = tmp_path / "tree"
    CheckoutHand(mirror.folder, tree).perform("clone", (head,), wait=True)
    return mirror, tree, base, head


def stand_in(tree, stack, engine, pause_s=0.0):
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("stand_in.py")), str(tree), stack, str(pause_s)],
        env=dict(os.environ, DOCKER_HOST=engine.address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def service(engine, stack):
    return ServiceHand(engine, stack, orchestrated=False, failure_action="rollback")


@pytest.mark.needs("git", "dockerd", "docker", "busybox")
@pytest.mark.parametrize(("overlay", "mark"), [(False, ""), (True, "+U")])
def test_the_stand_in_stamps_head_and_the_dirt_of_an_overlay(recipe, engine, overlay, mark):
    _, tree, _, head = recipe
    if overlay:
        (tree / "compose.ccci.yml").write_text("x")
    stamp, _ = stand_in(tree, f"plain{overlay:d}", engine).communicate()
    assert stamp.strip() == head[:8] + mark
    found = service(engine, f"plain{overlay:d}")
    assert found.perform("read_spec", (), wait=True) == Spec(head[:8] + mark, "head")
    found.perform("remove", (), wait=True)


@pytest.mark.needs("git", "dockerd", "docker", "busybox")
def test_the_stand_in_reads_an_old_head_and_new_files_from_a_torn_checkout(recipe, engine):
    mirror, tree, base, head = recipe
    checkout = CheckoutHand(mirror.folder, tree)
    checkout.perform("begin_checkout", (base, "git"), wait=True)
    stamp, errors = stand_in(tree, "torn", engine).communicate()
    assert (stamp.strip(), errors) == (f"{head[:8]}+U", "")
    assert service(engine, "torn").perform("read_spec", (), wait=True) == Spec(f"{head[:8]}+U", "base")
    checkout.perform("release_index", (base,), wait=True)
    checkout.perform("end_checkout", (base, "git"), wait=True)
    assert read_head(tree) == base
    service(engine, "torn").perform("remove", (), wait=True)


@pytest.mark.needs("git", "dockerd", "docker", "busybox")
def test_of_concurrent_stack_deploys_some_are_out_of_sequence_and_none_is_silent(recipe, engine, tally):
    _, tree, _, _ = recipe
    stand_in(tree, "crowd", engine).communicate()
    (tree / "compose.ccci.yml").write_text("x")
    crowd = [stand_in(tree, "crowd", engine) for _ in range(4)]
    told = [deploy.communicate()[1] for deploy in crowd]
    refused = [errors for errors, deploy in zip(told, crowd, strict=True) if deploy.returncode]
    assert all("update out of sequence" in errors for errors in refused)
    assert len(refused) < 4
    tally.outcomes["docker stack deploy", "four at once", f"{len(refused)} out of sequence"] += 1
    service(engine, "crowd").perform("remove", (), wait=True)


@pytest.mark.needs("git")
def test_a_second_checkout_gets_in_after_index_lock_and_is_torn_when_the_first_moves_head(recipe):
    mirror, tree, base, head = recipe
    first, second = CheckoutHand(mirror.folder, tree), CheckoutHand(mirror.folder, tree)
    assert first.perform("begin_checkout", (base, "git"), wait=True) is True
    assert second.perform("checkout_at_once", (head,), wait=True) is False
    first.perform("release_index", (base,), wait=True)
    assert second.perform("checkout_at_once", (head,), wait=True) is True
    first.perform("end_checkout", (base, "git"), wait=True)
    assert (read_head(tree), read_files(tree)) == (base, "head")


@pytest.mark.needs("git")
def test_a_checkout_of_a_commit_detaches_head_and_a_fetch_of_tags_leaves_it(recipe):
    mirror, tree, _, head = recipe
    mirror.new_tag(1)
    CheckoutHand(mirror.folder, tree).perform("fetch_tags", (), wait=True)
    assert read_head(tree) == head
    assert git(tree, "symbolic-ref", "--quiet", "HEAD", check=False).returncode == 1
    assert "new-1" in git(tree, "tag").stdout.split()


def outcome_of_a_failed_task(alone: ServiceHand) -> str | None:
    """UpdateStatus once an update of a service with one replica, whose new task fails, has ended."""
    alone.perform("deploy", (Spec("base", "base"), NOW), wait=True)
    alone.perform("deploy", (Spec("head", "head"), NOW), wait=True)
    begun = time.monotonic()
    while not (waiting := alone.waiting_tasks()):
        assert time.monotonic() - begun < PATIENCE_S
    alone.order("fail", waiting[0])
    while (status := alone.status()) in ("updating", "rollback_started"):
        assert time.monotonic() - begun < PATIENCE_S
    return status


@pytest.mark.needs("dockerd", "busybox")
def test_with_one_replica_a_rollback_is_completed_before_its_task_runs_and_the_label_is_back(engine):
    alone = ServiceHand(engine, "alone", orchestrated=True, failure_action="rollback", replicas=1)
    for _ in range(3):  # seldom (once in 40 runs of this test) Swarm calls such an update completed: no rollback at all
        if (status := outcome_of_a_failed_task(alone)) != "completed":
            break
        alone.perform("remove", (), wait=True)
    assert status == "rollback_completed"
    assert alone.perform("read_spec", (), wait=True) == Spec("base", "base")
    alone.perform("remove", (), wait=True)
