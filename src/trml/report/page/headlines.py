"""The findings at the top of the page: a headline and two sentences, by templates with premises.

Each template looks at its claims or scores, and returns nothing where its premise does not hold: a sentence that the
numbers do not bear is never printed. The first three that hold are shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trml.evaluation.contract import FEWEST_GROUPS, FEWEST_SEEDS
from trml.report.curves import View, score_rows
from trml.report.page.numbers import count, counted, listed, percent, score, signed, signed_interval
from trml.report.page.published import Published
from trml.report.sections import sentence

_MOST = 3
_NEAR, _FAR, _BEYOND = 0.8, 0.5, 1.1  # of the way from the constant predictor to the best possible
_NAMED = 3  # methods in a headline
_LACKING = " on the utterances that lack something"  # which claim C1 is judged on


@dataclass(frozen=True)
class Finding:
    """What was found, in words.

    Attributes:
        headline: A sentence without a full stop. body: One to three sentences with effects, intervals and counts.
        anchor: The id of the part of the page that shows it.
        address: Of the number that it turns on, for `trml trace`.
    """

    headline: str
    body: str
    anchor: str
    address: str


def headlines(datasets: Sequence[Published]) -> list[Finding]:
    """Return the findings whose premises hold, at most three.

    Args:
        datasets: The experiment's own results, then those of its regimes.
    """
    own = datasets[0]
    if nothing := too_little(own):
        return [nothing]
    templates: list[Callable[[], Finding | None]] = [
        lambda: against_baselines(own, claim_of(own, "C1")),
        lambda: strongest_regime(datasets[1:]),
        lambda: way_to_best(own),
        lambda: loss_terms(own, claim_of(own, "C3")),
        lambda: virtual_vectors(own, claim_of(own, "C4")),
    ]
    made = (template() for template in templates)
    return [finding for finding in made if finding is not None][:_MOST]


def claim_of(results: Published, name: str) -> Mapping[str, Any] | None:
    """Return a claim by its id, None where it is not judged."""
    return next((claim for claim in results.claims if claim["id"] == name), None)


def of_verdict(claim: Mapping[str, Any], *verdicts: str) -> list[Mapping[str, Any]]:
    """Return the comparisons of a claim with one of these verdicts."""
    return [each for each in claim["comparisons"] if each["verdict"] in verdicts]


def too_little(results: Published) -> Finding | None:
    """Say that nothing can be tested. Premise: every comparison of every claim has too little data."""
    claims = [claim for claim in results.claims if claim["comparisons"]]
    if not claims or any(each["verdict"] != "too little data" for c in claims for each in c["comparisons"]):
        return None
    claim = claims[0]
    return Finding(
        "Too little data for a verdict",
        f"There {'is' if claim['seeds'] == 1 else 'are'} {counted(claim['seeds'], 'seed')} and "
        f"{counted(claim['groups'], 'group')} of test utterances. A verdict "
        f"needs {count(FEWEST_SEEDS)} seeds and {count(FEWEST_GROUPS)} groups. Scores are shown; nothing is tested.",
        f"claim-{claim['id']}",
        f"{results.result}:claim_{claim['id'].lower()}",
    )


def against_baselines(results: Published, claim: Mapping[str, Any] | None) -> Finding | None:
    """Say how the proposed method stands against its baselines. Premise: C1 is judged, and something was tested."""
    proposed = results.study.proposed
    if claim is None or proposed is None:
        return None
    better, worse, same = (of_verdict(claim, verdict) for verdict in ("better", "worse", "equivalent"))
    open_ = of_verdict(claim, "undecided")
    tested = [*better, *worse, *same, *open_]
    if not tested:
        return None
    name, n = proposed.label, len(tested)
    if len(same) == n:
        headline = f"{name} is as good as its baselines, and no better"
    elif len(open_) == n:
        headline = f"No difference between {name} and its baselines that this run can see"
    elif better and not worse:
        headline = f"{name} is better than {_who(better)}" + (
            ", but not than every baseline" if len(better) < n else ""
        )
    elif worse and not better:
        headline = f"{name} is worse than {_who(worse)}"
    elif better and worse:
        headline = f"{name} is better than {_who(better)}, and worse than {_who(worse)}"
    else:
        headline = f"{name} is not shown to be better or worse than its baselines"
    return Finding(headline, _counted(claim, tested, _LACKING), "claim-C1", _address(results, claim, _largest(tested)))


def strongest_regime(regimes: Sequence[Published]) -> Finding | None:
    """Say in which regime the proposed method stands out. Premise: C1 is decided there, all in one direction."""
    decided = []
    for each in regimes:
        claim, proposed = claim_of(each, "C1"), each.study.proposed
        if claim is None or proposed is None:
            continue
        better, worse = of_verdict(claim, "better"), of_verdict(claim, "worse")
        if bool(better) != bool(worse):
            decided.append((len(better) + len(worse), each, claim, "better" if better else "worse", better or worse))
    if not decided:
        return None
    _, each, claim, word, rows = max(decided, key=lambda row: row[0])
    assert each.study.proposed is not None
    tested = of_verdict(claim, "better", "worse", "equivalent", "undecided")
    everyone = len({row["against"] for row in rows}) == len({row["against"] for row in tested})
    who = "every baseline" if everyone else _who(rows)
    headline = f"{sentence(each.study.regime)}: {each.study.proposed.label} is {word} than {who}"
    body, address = _counted(claim, tested, _LACKING), _address(each, claim, _largest(rows))
    return Finding(headline, body, f"regime{each.suffix}", address)


def way_to_best(results: Published) -> Finding | None:
    """Say how far the proposed method is from the best possible. Premise: that is known, and within reach."""
    proposed, study = results.study.proposed, results.study
    if proposed is None:
        return None
    shares = {}
    for victim in study.single_victims:
        view = View(study.training, victim, results.primary)
        rows = score_rows(results.summary, study, view).filter(rate=study.study_rate).drop_nulls("value")
        by = {row["method"]: row for row in rows.iter_rows(named=True)}
        if {"constant", "ceiling", proposed.name} <= by.keys():
            worst, best = by["constant"]["value"], by["ceiling"]["value"]
            if worst != best:
                shares[victim] = (worst - by[proposed.name]["value"]) / (worst - best), by
    # Beyond the best possible by more than a sample moves it, or below the constant: no way has been gone.
    if not shares or not all(0 <= share <= _BEYOND for share, _ in shares.values()):
        return None
    least, most = (extreme(share for share, _ in shares.values()) for extreme in (min, max))
    headline = (
        "Little is left to win on this corpus"
        if least >= _NEAR
        else "Much is left to win on this corpus"
        if most < _FAR
        else "Some is left to win on this corpus"
    )
    (victim, (share, by)), *others = shares.items()
    label, rate = results.primary.label, percent(study.study_rate)
    body = (
        f"With {rate} of {victim} missing, {proposed.label} covers {percent(share)} of the way from the constant "
        f"predictor ({label} {score(by['constant']['value'])}) to the best possible ({score(by['ceiling']['value'])})"
        + "".join(f"; with {rate} of {other} missing, {percent(part)}" for other, (part, _) in others)
        + "."
    )
    address = results.address(study.training, proposed.name, victim, study.study_rate, results.primary.name)
    return Finding(headline, body, "leaderboard", address or "")


def loss_terms(results: Published, claim: Mapping[str, Any] | None) -> Finding | None:
    """Say which loss terms matter. Premise: C3 is judged, and something was tested."""
    proposed = results.study.proposed
    if claim is None or proposed is None:
        return None
    better, worse = of_verdict(claim, "better"), of_verdict(claim, "worse")
    tested = of_verdict(claim, "better", "worse", "equivalent", "undecided")
    if not tested:
        return None
    if not better and not worse and len(of_verdict(claim, "equivalent")) == len(tested):
        headline = f"No loss term of {proposed.label} changes its score"
    elif better:
        headline = f"Loss terms of {proposed.label} that help: leaving out {_who(better)} costs something"
    elif worse:
        headline = f"{proposed.label} is better {_who(worse)}"
    else:
        headline = f"No loss term of {proposed.label} is shown to matter"
    return Finding(headline, _counted(claim, tested), "claim-C3", _address(results, claim, _largest(tested)))


def virtual_vectors(results: Published, claim: Mapping[str, Any] | None) -> Finding | None:
    """Say whether virtual vectors carry meaning. Premise: C4 is supported or refuted."""
    if claim is None or claim["verdict"] not in ("supported", "refuted"):
        return None
    carry = "carry" if claim["verdict"] == "supported" else "do not carry"
    tested = of_verdict(claim, "better", "worse", "equivalent", "undecided")
    headline = f"Virtual modalities {carry} what the encoder alone does not"
    return Finding(headline, _counted(claim, tested), "claim-C4", _address(results, claim, _largest(tested)))


def _who(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """Return whom comparisons are with: names, or how many."""
    labels = list(dict.fromkeys(str(each["label"]) for each in comparisons))
    return listed(labels) if len(labels) <= _NAMED else f"{count(len(labels))} of them"


def _counted(claim: Mapping[str, Any], tested: Sequence[Mapping[str, Any]], on: str = "") -> str:
    """Return how many comparisons have which verdict, the largest difference, and the margin; `on` says where."""
    counts = {verdict: len([e for e in tested if e["verdict"] == verdict]) for verdict in _ORDER}
    said = [f"{count(n)} {verdict}" for verdict, n in counts.items() if n]
    largest, unit = _largest(tested), claim["unit"]
    every = "Both" if len(tested) == 2 else f"All {count(len(tested))}"
    only = f"{every} comparisons{on} are {next(v for v, n in counts.items() if n)}"
    of = f"Of {count(len(tested))} comparisons{on}{',' * bool(on)} {listed(said)}"
    counted = only if len(said) == 1 and len(tested) > 1 else of
    within = (
        f" (the margin is {score(largest['margin'])})" if largest["margin"] is not None and counts["equivalent"] else ""
    )
    where = f"{percent(largest['rate'])} of {str(largest['victim']).replace('_', ' ')} missing"
    reach = signed_interval(largest["low"], largest["high"])
    return (
        f"{counted}{within}. The largest difference: {signed(largest['effect'])} {unit}"
        + (f" [{reach}]" if reach else "")
        + f", {largest['label']}, {where}."
    )


_ORDER = ("better", "worse", "equivalent", "undecided")


def _largest(comparisons: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(comparisons, key=lambda each: abs(each["effect"] or 0.0))


def _address(results: Published, claim: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    table = f"claim_{claim['id'].lower()}{results.suffix}"
    return f"{results.result}:{table}/{row['against']}/{row['victim']}@{row['rate']:g}"
