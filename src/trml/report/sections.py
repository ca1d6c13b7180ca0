"""The sections of the page, in order."""

from dataclasses import dataclass

from trml.evaluation.contract import Study
from trml.report.dataset import Dataset


@dataclass(frozen=True)
class Section:
    """A part of the page. It is left out where it has neither figures nor tables, unless `empty` says why.

    Attributes:
        id: Its anchor; tables and figures name it.
        title: Its heading.
        words: Below the heading.
        open: Whether its tables are unfolded.
        empty: Why there is nothing to show.
    """

    id: str
    title: str
    words: str = ""
    open: bool = False
    empty: str = ""


def sections(data: Dataset) -> list[Section]:
    """Return the sections of an experiment's page."""
    study, virtual = data.study, data.probed["reason"]
    patterns = {pattern_section(study, victim): study.pattern(victim).label for victim in study.victims}
    own = [Section(id_, sentence(label)) for id_, label in patterns.items() if id_ not in ("curves", "several")]
    corpora = [Section(f"on{each.suffix}", f"Scores on {each.study.dataset}", open=True) for each in data.corpora[1:]]
    return [
        Section("verdicts", "The claims in every regime and on every corpus", open=True),
        Section("curves", "Scores over the missing rate", open=True),
        *(Section(f"regime{each.suffix}", sentence(each.study.regime), open=True) for each in data.regimes),
        Section("settings", "Settings A and B", open=True),
        Section("several", "Several modalities missing"),
        *own,
        Section(
            "complete",
            "Complete in training, missing at evaluation",
            "The scores of models that were never trained for a missing modality.",
        ),
        Section(
            "matrix",
            "Training pattern against present modalities",
            "Every training is evaluated with each non-empty set of modalities present.",
        ),
        Section("terms", "What predictions follow"),
        Section("robustness", "Robustness"),
        Section("calibration", "How far predictions can be trusted"),
        Section("studies", "Loss terms, temperature, weights"),
        Section("axes", "Fewer labels, wrong labels, labels that decide what is missing"),
        Section("alignment", "Aligned and unaligned encoders"),
        Section("redundancy", "What can be recovered", open=True),
        Section("wrong", "Modalities that are there and wrong"),
        Section("conventions", "What a convention is worth"),
        Section("cost", "What methods cost"),
        Section("search", "The search on dev"),
        *corpora,
        Section(
            "cards",
            "The corpus" if len(data.corpora) == 1 else "The corpora",
            "Sizes, labels, missing modalities, and what repeats across splits.",
        ),
        Section(
            "virtual",
            "Virtual modalities",
            "Does a vector made from the present modalities carry what the missing one would have said?",
            empty=f"Nothing to show: {virtual}." if virtual else "",
        ),
    ]


def pattern_section(study: Study, victim: str) -> str:
    """Return the id of the section of a missing pattern."""
    if victim in study.single_victims:
        return "curves"
    pattern = study.pattern(victim)
    return "several" if pattern.level == "modality" and len(pattern.lost) == 1 else f"pattern_{victim}"


def further(study: Study) -> str | None:
    """Return the id of the section that shows a further dataset's main table, None where none does."""
    dataset = study.dataset
    return {
        "alignment": "alignment",
        "rotation": "alignment",
        "corpus": f"on_{dataset}",
        "regime": f"regime_{dataset}",
    }.get(study.purpose)


def sentence(words: str) -> str:
    """Return the words with a capital first letter."""
    return words[:1].upper() + words[1:]
