"""What verbs print with --json, one model a kind. `trml schema KIND` prints the JSON schema of one.

Within a schema number fields are only added. Numbers are unrounded, and null is what is absent or unknown.
"""

# long because: every document that a verb prints has its model here
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from trml.cli.output import SCHEMA


class Part(BaseModel):
    """A part of a document: nothing but its fields."""

    model_config = ConfigDict(extra="forbid")


class Document(Part):
    """A whole document."""

    trml: str
    kind: str
    schema_: Literal[1] = Field(alias="schema")


class Error(Document):
    """A verb that failed, whichever it was."""

    what: str
    where: str | None
    expected: str | None
    next: str | None
    code: Literal[1, 2, 3, 70, 130, 143]


class StageOf(Part):
    """A stage, or a method's part of the training."""

    stage: str
    total: int
    done: int
    running: int
    failed: int
    left: int
    seconds_left: float | None


class RunAtWork(Part):
    """The run that holds the lock of work/; started in seconds since 1970."""

    pid: int
    node: str
    experiment: str | None
    started: float
    log: str | None


class FailedJob(Part):
    """A job that ended with an error, or a training that diverged."""

    what: str
    reason: str
    log: str | None


class Status(Document):
    """`trml status`, and `trml run --dry-run`."""

    experiment: str
    params: str
    state: Literal["idle", "running", "stopped", "failed", "done"]
    run: RunAtWork | None
    stages: list[StageOf]
    failed: list[FailedJob]
    seconds_left: float | None
    page: str | None
    methods: list[StageOf]


class FolderOf(Part):
    """A folder or block of work/."""

    what: str
    path: str | None
    done: bool
    words: str


class Folders(Document):
    """`trml status --folders`."""

    folders: list[FolderOf]


class Run(Document):
    """`trml run`."""

    page: str
    experiment: str
    findings: list[str]
    claims: dict[str, int]
    log: str
    seconds: float


class Cell(Document):
    """`trml run --only`; content and published: checksums of predictions."""

    cell: str
    name: str
    trained: bool
    content: str | None
    published: str | None
    wall_s: float | None
    failed: str | None


class Search(Document):
    """`trml search`."""

    params: str
    lines: list[str]


class ClaimShown(Part):
    """A claim with the number of comparisons on each side and the largest effect."""

    id: str
    dataset: str | None
    verdict: str
    supporting: int
    refuting: int
    undecided: int
    largest: float | None
    metric: str | None
    text: str


class ClaimInFull(Part):
    """The claim whose table is shown."""

    id: str
    text: str
    how: str
    verdict: str


class Show(Document):
    """`trml show`; rows have the columns of the table."""

    result: str
    table: str | None
    claim: ClaimInFull | None
    findings: list[str]
    claims: list[ClaimShown]
    columns: list[str]
    rows: list[dict[str, str | float | bool | None]]
    page: str | None


class SideOf(Part):
    """One of two results."""

    name: str
    digest: str
    commit: str
    seeds: int
    rates: int
    trainings: int
    made_from: dict[str, str | None]


class Setting(Part):
    """A setting that differs."""

    key: str
    a: Any
    b: Any


class LargestOf(Part):
    """The largest difference of a score."""

    address: str
    a: float | None
    b: float | None


class ScoresOf(Part):
    """How many scores two results share."""

    shared: int
    identical: int
    only_a: int
    only_b: int
    largest: LargestOf | None


class ClaimOf(Part):
    """What became of a claim; a and b are verdicts."""

    id: str
    dataset: str | None
    a: str
    b: str
    shared: int
    largest_change: float | None
    changed_sign: int
    outside_interval: int


class CauseOf(Part):
    """Why two results differ: the first stage that departs, the settings to blame, and a sentence."""

    stage: str | None
    settings: list[str]
    words: str


class CompareDocument(Document):
    """`trml compare`."""

    a: SideOf
    b: SideOf
    settings: list[Setting]
    scores: ScoresOf
    claims: list[ClaimOf]
    cause: CauseOf


class ScoreOf(Part):
    """A row of metrics.csv behind a number."""

    file: str
    line: int
    method: str
    variant: str
    seed: int
    cell: str
    value: float | None
    content: str | None


class Trace(Document):
    """`trml trace` of an address."""

    address: str
    value: float
    beside: dict[str, float | None]
    published: dict[str, str | int | None]
    scores: list[ScoreOf]
    follows: bool | None
    predictions: dict[str, str] | None
    made_from: dict[str, str | None]
    source: dict[str, Any]
    command: str


class Rounded(Document):
    """`trml trace` of a number."""

    rounded: str
    addresses: list[str]


class BySeed(Part):
    """What the training of one seed predicts."""

    seed: int
    value: float


class NeighbourOf(Part):
    """A real utterance near a virtual modality; similarity is a cosine."""

    id: str
    split: str
    text: str
    clip: str | None
    similarity: float


class Virtual(Part):
    """What stands in for a missing modality."""

    modality: str
    neighbours: list[NeighbourOf]


class Predict(Document):
    """`trml predict`; with --csv, one a line."""

    model: dict[str, str]
    inputs: dict[str, Literal["given", "missing"]]
    prediction: float | str
    spread: float | None
    scale: dict[str, float] | None
    own_scale: dict[str, float] | None
    classes: dict[str, float] | None
    by_seed: list[BySeed]
    rests_on: dict[str, float]
    virtual: Virtual | None
    notes: list[str]


class VerifiedClaim(Part):
    """A claim in two results."""

    id: str
    dataset: str | None
    published: str
    found: str
    effects: int
    outside_interval: int
    changed_sign: int


class Equivalence(Part):
    """A method's mean difference, with its 90 % interval over seeds; null: infinite."""

    method: str
    difference: float
    low: float | None
    high: float | None
    margin: float
    equivalent: bool


class Verify(Document):
    """`trml verify`; largest: the difference and where; first: stage, expected, found."""

    outcome: Literal["same", "within", "differs"]
    exact: bool
    files: int
    other_files: list[str]
    scores: int
    other_scores: int
    largest: tuple[float, str] | None
    claims: list[VerifiedClaim]
    equivalence: list[Equivalence]
    first: tuple[str, str, str] | None
    cause: str


class Check(Document):
    """`trml check`; lines as without --json."""

    folder: str
    is_sound: bool
    task: str
    lines: list[str]


class Fetch(Document):
    """`trml fetch`; steps: corpus -> lines."""

    data: str
    fetched: bool
    steps: dict[str, list[str]]


class Judged(Part):
    """A difference with its tests (evaluation/verdicts.py)."""

    effect: float | None
    low: float | None
    high: float | None
    p: float
    p_equivalent: float
    detectable: float | None
    margin: float | None
    verdict: str


class Drop(Judged):
    """How a method compares with itself on complete data."""

    method: str
    victim: str
    rate: float


class Pair(Judged):
    """How much better the first of two methods is."""

    victim: str
    rate: float
    first: str
    second: str


class Measure(Part):
    """A measure of robustness."""

    method: str
    victim: str
    measure: Literal["relative", "effective"]
    value: float | None
    low: float | None
    high: float | None


class Point(Part):
    """A score under a condition."""

    method: str
    victim: str
    rate: float
    value: float | None
    low: float | None
    high: float | None


class Robustness(Document):
    """`trml robustness`."""

    task: Literal["regression", "classification"]
    classes: list[str]
    metric: dict[str, str | bool]
    utterances: int
    groups: int
    seeds: list[int]
    curves: list[Point]
    drops: list[Drop]
    robustness: list[Measure]
    pairs: list[Pair]
    notes: list[str]


class Submit(Document):
    """`trml submit`; command: what makes the tables again."""

    name: str
    result: str
    utterances: int
    seeds: int
    added: bool
    command: str | None


class MergedOf(Part):
    """What one source brought."""

    source: str
    cells: int
    folders: int
    replaced: list[str]


class Merge(Document):
    """`trml merge`."""

    merged: list[MergedOf]


class Export(Document):
    """`trml export`."""

    written: str
    is_model: bool


class CitedOf(Part):
    """What to cite for a part: BibTeX by key, and remarks on licences and terms."""

    what: str
    entries: dict[str, str]
    remarks: list[str]


class Cite(Document):
    """`trml cite`; own: this project's entry."""

    own: str | None
    parts: list[CitedOf]


class Catalogue(Document):
    """`trml methods`, `corpora`, `encoders` and `experiments`; detail: of the one that was named."""

    items: list[dict[str, str]]
    detail: dict[str, Any] | None


class Compose(Document):
    """`trml compose`; settings: with --keys, by dotted key."""

    output: str | None
    settings: dict[str, Any]


class PathOf(Part):
    """A path of work/."""

    path: str
    bytes: int


class Gc(Document):
    """`trml gc`."""

    removed: bool
    aside: bool
    bytes: int
    paths: list[PathOf]


KINDS: dict[str, type[Document]] = {
    "error": Error,
    "status": Status,
    "folders": Folders,
    "run": Run,
    "cell": Cell,
    "search": Search,
    "show": Show,
    "compare": CompareDocument,
    "trace": Trace,
    "rounded": Rounded,
    "verify": Verify,
    "check": Check,
    "fetch": Fetch,
    "predict": Predict,
    "robustness": Robustness,
    "submit": Submit,
    "merge": Merge,
    "export": Export,
    "cite": Cite,
    "methods": Catalogue,
    "corpora": Catalogue,
    "encoders": Catalogue,
    "experiments": Catalogue,
    "compose": Compose,
    "gc": Gc,
}


def json_schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON schema of a kind of document."""
    schema = KINDS[kind].model_json_schema(by_alias=True)
    schema["properties"]["kind"] = {"const": kind}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def checked(document: dict[str, Any]) -> Document:
    """Return a document as its model; pydantic's ValidationError says where it is not one."""
    assert document["schema"] == SCHEMA
    return KINDS[document["kind"]].model_validate(document)
