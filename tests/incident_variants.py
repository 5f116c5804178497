"""Variants of the incident's model, for property tests."""

from typing import Any

from hypothesis import strategies as st

from dstamp_sim.inputs.model_file import load_model
from dstamp_sim.testing import ModelSetting, variants


def cc_ci_variants(most_runs: int = 3, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[ModelSetting]:
    """Variants of the incident's model: runs, equal or other pull requests and refs, switches, placements, deaths."""
    model = load_model("cc_ci")
    numbers = {
        "runs": st.integers(1, most_runs),
        "pr": st.sampled_from([(1,), (1, 2)]),
        "ref": st.sampled_from([("7ae7b0f76efb",), ("7ae7b0f76efb", "0123456789ab")]),
    }
    placements = ["deploy_app", *(name for name in model.placements if name != "deploy_app")]
    return variants("cc_ci", placements=placements, crashes=st.integers(0, 1), **(numbers | given))
