"""The placements of comparable systems (DOMAIN.md, "Lock placements"), by name. The document's is `deploy_app`."""

from dstamp_sim import Placement


def _placed(name: str, spans: str = "", **sets: object) -> Placement:
    return Placement(name, Placement.parse(spans).spans if spans else (), sets)


PLACEMENTS = {
    placement.name: placement
    for placement in (
        _placed("none"),
        _placed("deploy_app", "app-domain:deploy_app"),
        _placed("each_write", "app-domain:deploy_app, app-domain:chaos_redeploy, app-domain:teardown"),
        _placed("deploy_app+chaos_redeploy", "app-domain:deploy_app, app-domain:chaos_redeploy"),
        _placed("redeploy_to_check", "app-domain:chaos_redeploy..check_hc1"),
        _placed("deploy_app+redeploy_to_check", "app-domain:deploy_app, app-domain:chaos_redeploy..check_hc1"),
        _placed("deploy_app_to_check", "app-domain:deploy_app..check_hc1"),
        _placed("deploy_app_to_exit", "app-domain:deploy_app..exit"),
        _placed("checkout_only", "recipe:checkout_head..chaos_redeploy"),
        _placed("per_recipe", "recipe:deploy_app..check_hc1"),
        _placed("per_host", "host:deploy_app..check_hc1"),
        _placed("stack_per_run", stack="per_run"),
        _placed("run_id_at_check", "app-domain:deploy_app", fencing=True),
        _placed("compare_and_set", "app-domain:deploy_app", compare_and_set=True, stack_deploy="two_steps"),
        _placed("reject", "app-domain?:deploy_app..check_hc1"),
        _placed("merge_queue", "host:fetch_recipe..exit"),
    )
}
