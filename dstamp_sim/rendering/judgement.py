"""The judgement of an incident in words (Markdown), and its posterior as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def markdown(document: Mapping[str, Any], title: str) -> str:
    """The judgement (as `dstamp replay --json` gives it) as a report."""
    parts = [
        [
            f"# {title}",
            "",
            "Written by `dstamp replay --report`; every figure below is computed, none is kept by hand.",
            "",
        ],
        _possible(document),
        _likely(document),
        _next(document),
    ]
    return "\n".join(line for part in parts for line in part)


def _possible(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Possible or not"
    yield ""
    if document["conflict"]:
        yield f"**No mechanism is possible.** Smallest conflicting observations: {', '.join(document['conflict'])}."
        yield ""
    yield "| mechanism | reading | verdict | why | unseen partners in time / without | assumes |"
    yield "|---|---|---|---|---|---|"
    for row in document["mechanisms"]:
        reading = "; ".join(f"{name}: {value}" for name, value in row["reading"].items())
        numbers = f"{_number(row['unseen_partners'])} / {_number(row['unseen_partners_without_timing'])}"
        cells = (row["mechanism"], reading, row["verdict"], row["why"], numbers, "; ".join(row["assumed"]))
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield from _closed_cluster(document)
    yield "### What each says of each observation"
    yield ""
    names = list(document["mechanisms"][0]["bearings"])
    yield "| mechanism, first reading | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for name in dict.fromkeys(row["mechanism"] for row in document["mechanisms"]):
        row = next(row for row in document["mechanisms"] if row["mechanism"] == name)
        yield f"| {name} | " + " | ".join(row["bearings"].values()) + " |"
    yield ""


def _closed_cluster(document: Mapping[str, Any]) -> Iterator[str]:
    """The sentence on mechanisms that need runs which nobody saw."""
    for row in document["mechanisms"]:
        if row["unseen_partners"]:
            yield (
                f"With nobody there but the observed runs, `{row['mechanism']}` cannot give all that was observed: it "
                f"needs {row['unseen_partners']} unseen partners where a run lasts at most "
                f"{document['longest_run_s']:g} s, and {row['unseen_partners_without_timing']} without regard to how "
                "long runs last."
            )
            yield ""


def _likely(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Likely or not"
    yield ""
    yield "| mechanism | P(evidence) | 95 % interval | without unseen partners | posterior |"
    yield "|---|---|---|---|---|"
    ranked = sorted(document["posterior"].items(), key=lambda item: -item[1])
    for name, share in ranked:
        item = document["likelihoods"][name]
        low, high = item["interval"]
        yield (
            f"| {name} | {item['estimate']:.3g} | {low:.2g} to {high:.2g} | "
            f"{item['without_unseen_partners']:.3g} | {share:.1%} |"
        )
    yield ""
    if document["flips"]:
        yield f"The first place changes under other priors: {'; '.join(document['flips'])}."
    else:
        yield "The first place is the same under every other prior that was tried."
    yield ""
    for name, other in document["other_priors"].items():
        best = sorted(other.items(), key=lambda item: -item[1])[:3]
        yield f"- {name}: " + ", ".join(f"{m} {share:.0%}" for m, share in best)
    yield ""


def _next(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## What to do next"
    yield ""
    for item in document["experiments"]:
        yield f"### {item['experiment']}: {item['bits']:.2f} bits expected"
        yield ""
        yield f"{item['story']}. Cost: {item['cost'] or 'not given'}."
        yield ""
        for outcome, meaning in item["means"].items():
            yield f"- *{outcome}*: {meaning}."
        yield ""
    rule = next((item for item in document["experiments"] if item["experiment"] == "isolated run"), None)
    if rule is not None:
        yield "### The document's own rule"
        yield ""
        yield "It reads an isolated green run as a concurrency artifact, and drift as something else. Chance of green:"
        yield ""
        for name, shares in rule["predicted"].items():
            yield f"- {name}: {shares.get('green', 0.0):.0%}"
        yield ""
        yield "Green refutes no mechanism whose chance of it is not small; drift speaks against those of chance 100 %."
        yield ""


def _number(value: int | None) -> str:
    return "none found" if value is None else str(value)


def draw_posterior(posterior: Mapping[str, float], others: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Bars of the posterior, the largest on top, with the range that other priors give."""
    names = sorted(posterior, key=lambda name: posterior[name])
    drawn = Figure(figsize=(9.0, 0.34 * len(names) + 1.4), dpi=130)
    axes = drawn.add_subplot()
    axes.barh(names, [posterior[name] for name in names], color="#3b6ea5", height=0.62)
    for row, name in enumerate(names):
        span: Sequence[float] = [other[name] for other in others.values()] or [posterior[name]]
        axes.plot([min(span), max(span)], [row, row], color="#222222", linewidth=1.2, marker="|", markersize=7)
        axes.text(max(*span, posterior[name]) + 0.012, row, f"{posterior[name]:.1%}", va="center", fontsize=8)
    axes.set_xlim(0, 1.08)
    axes.set_xlabel("posterior, all mechanisms equally likely before; lines: range over the other priors", fontsize=8)
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    drawn.tight_layout()
    drawn.savefig(path)
