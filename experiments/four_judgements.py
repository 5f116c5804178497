"""The incident judged four times, as outcomes of experiments come in: the table of docs/four-judgements.md.

`python -m experiments.four_judgements` prints it (minutes); tests/docs/test_four_judgements.py holds the page to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dstamp_sim.engines.parallel.threads import cores
from dstamp_sim.incident.evidence import ExperimentOutcome
from dstamp_sim.incident.judge_mechanisms import judge_since
from dstamp_sim.incident.loaded import Incident, load_incident
from dstamp_sim.incident.possible.case import Possible
from dstamp_sim.incident.report.phrases import span
from dstamp_sim.incident.standing import WhatStands

INSPECTED = "early status=updating, early spec=7ae7b0f7+U, early previous=eb96de94+U, late spec=eb96de94+U"
"""Right after the redeploy an update runs to the new Spec, the base is PreviousSpec; at the check the base is back."""

STAGES: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    ("the incident's evidence alone", ()),
    ("one isolated red run", (("isolated run", "drift"),)),
    ("one green and one more red", (("isolated run", "green"), ("isolated run", "drift"))),
    ("an inspection", (("isolated run, inspected", INSPECTED),)),
)
"""By stage what comes in: the experiment and its outcome."""


def incident() -> tuple[Incident, list[int]]:
    """The incident with all outcomes, and how many of these there are at each stage but the last."""
    known = load_incident(None)
    assert known.evidence is not None
    made = [
        ExperimentOutcome(experiment=experiment, outcome=outcome, source="assumed")
        for _, outcomes in STAGES
        for experiment, outcome in outcomes
    ]
    counts = [sum(len(outcomes) for _, outcomes in STAGES[: stage + 1]) for stage in range(len(STAGES))]
    evidence = known.evidence.model_copy(update={"outcomes": tuple(made)})
    return replace(known, evidence=evidence), counts[:-1]


def judgements(workers: int) -> list[WhatStands]:
    """What stands after each stage."""
    whole, earlier = incident()
    stood, found = judge_since(whole, earlier, workers=workers)
    return [*stood, found.standing]


def table(stood: Sequence[WhatStands]) -> Iterator[str]:
    """A row for each mechanism, a column for each stage: refuted, or its share over all priors."""
    yield f"| mechanism | {' | '.join(name for name, _ in STAGES)} |"
    yield "|---" * (len(STAGES) + 1) + "|"
    for name in stood[0].posterior:
        yield f"| `{name}` | {' | '.join(_cell(standing, name) for standing in stood)} |"


def _cell(standing: WhatStands, name: str) -> str:
    if standing.verdict(name) is Possible.IMPOSSIBLE:
        return "refuted"
    return f"{standing.verdict(name).value}, {span(standing.span(name), standing.most(name))}"


if __name__ == "__main__":
    for line in table(judgements(cores())):
        print(line)  # noqa: T201 - a script
