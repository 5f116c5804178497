"""The incident: CI runs of one recipe at one ref share one swarm stack, and one path bypasses the lock.

A run deploys the base version, checks out the PR head again, redeploys with chaos, waits, and then HC1 reads the commit
stamped on the live service. `deploy_app` takes the app-domain flock; `chaos_redeploy` does not.

One factory per candidate mechanism (`stack_race`, `checkout_race`, …); `build` is the document's leading hypothesis.
Placements are in `PLACEMENTS`, the switches in `world.Switches`.
"""

from .hypotheses import HYPOTHESES as HYPOTHESES
from .mechanisms import MECHANISMS
from .placements import PLACEMENTS as PLACEMENTS

ASSUMPTIONS = (
    ("the install stage leaves nothing that the upgrade stage sees", "inference"),
    ("level 4 means that upgrade passed, 1 that only install did, 0 that the base was not deployed", "inference"),
    ("the app domain's hash is SHA-256", "assumed; the document does not say"),
    ("all four runs have the same pr", "assumed; the document does not say, and same-ref runs share a stack only then"),
    ("each run tears its stack down at its end, outside every lock", "inference"),
)

stack_race = build = MECHANISMS["stack-race"].factory
checkout_race = MECHANISMS["checkout-race"].factory
torn_checkout = MECHANISMS["torn-checkout"].factory
swarm_rollback = MECHANISMS["swarm-rollback"].factory
load_rollback = MECHANISMS["load-rollback"].factory
env_recheckout = MECHANISMS["env-recheckout"].factory
redeploy_not_applied = MECHANISMS["redeploy-not-applied"].factory
stale_stack = MECHANISMS["stale-stack"].factory
recreate = MECHANISMS["recreate"].factory
early_read = MECHANISMS["early-read"].factory
overlay_dirt = MECHANISMS["overlay-dirt"].factory
short_sha = MECHANISMS["short-sha"].factory
abra_regression = MECHANISMS["abra-regression"].factory
