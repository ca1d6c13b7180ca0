"""The configuration: its schema, its composition from config/ and the reading of params.yaml.

Hydra composes (`compose`), pydantic checks (`check`), and everything else reads the checked `Params`.
Nothing here imports torch: the Snakefile and every verb start from this module.
"""

import ast
import difflib
import json
from dataclasses import field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from trml.errors import ConfigError
from trml.source import module_file

# What may be missing: one modality, either of the two (by a fair coin, never both), or frames of the clip.
Victim = Literal["vision", "text", "either", "frames"]
FRAME_RATES = (0.1, 0.3, 0.5, 0.7, 0.9)  # at which a cell is evaluated with frames missing; 1 is vision missing
Seed = Annotated[int, Field(ge=0)]
# These four also annotate the options of methods, which are checked against them.
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

_strict = ConfigDict(extra="forbid", strict=True)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


# --- corpora -------------------------------------------------------------------------------------------


@dataclass(config=_strict)
class Weights:
    """What each latent factor of pantomime weighs in the label (see corpora/pantomime.py)."""

    shared: NotNegative
    text_only: NotNegative
    vision_only: NotNegative
    synergy: NotNegative
    noise: NotNegative

    @model_validator(mode="after")
    def _in_range(self) -> "Weights":
        reach = 2 * self.shared + self.text_only + self.vision_only + self.synergy + self.noise
        _require(reach <= 3.0 + 1e-9, f"the label would reach {reach:g}; 2*shared + the others must be <= 3")
        return self


@dataclass(config=_strict)
class Sizes:
    """Utterances in each split."""

    train: Count
    valid: Count
    test: Count


@dataclass(config=_strict)
class PantomimeConfig:
    """The generated corpus."""

    kind: Literal["pantomime"]
    name: Name
    seed: Seed
    utterances: Sizes
    frames: Annotated[int, Field(ge=2, le=64)]
    weights: Weights
    pretraining_pairs: Count
    heldout_pairs: Count


@dataclass(config=_strict)
class MosiConfig:
    """CMU-MOSI with given utterance-level features."""

    kind: Literal["mosi"]
    name: Name
    folder: str
    valid_videos: Count


@dataclass(config=_strict)
class MvsaConfig:
    """MVSA-Single: photo + text posts in one parquet file."""

    kind: Literal["mvsa"]
    name: Name
    file: str


Corpus = Annotated[PantomimeConfig | MosiConfig | MvsaConfig, Field(discriminator="kind")]


# --- encoders ------------------------------------------------------------------------------------------


@dataclass(config=_strict)
class GivenEncoder:
    """The corpus brings its features; nothing is encoded."""

    kind: Literal["given"]
    name: Name


@dataclass(config=_strict)
class OpenClipEncoder:
    """A named open_clip model with a pretrained tag, or with a local checkpoint file."""

    kind: Literal["open_clip"]
    name: Name
    model: str
    pretrained: str | None
    checkpoint: str | None
    frames: Count
    batch_size: Count

    @model_validator(mode="after")
    def _one_source(self) -> "OpenClipEncoder":
        _require(
            (self.pretrained is None) != (self.checkpoint is None),
            "give either pretrained (a tag) or checkpoint (a file), not both and not neither",
        )
        return self


@dataclass(config=_strict)
class Fit:
    """How the workflow trains an encoder (encoders/fit.py)."""

    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    warmup_steps: Annotated[int, Field(ge=0)]


@dataclass(config=_strict)
class Pretraining(Fit):
    """How the tiny CLIP is trained from pairs. `retrieval_bar` null lifts the bar."""

    logit_scale: Positive
    retrieval_bar: Share | None


@dataclass(config=_strict)
class TinyVision:
    """A small vision transformer: pixels and widths."""

    image_size: Count
    patch_size: Count
    width: Count
    layers: Count
    head_width: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyVision":
        _require(
            self.width % self.head_width == 0, f"width {self.width} is no multiple of head_width {self.head_width}"
        )
        _require(
            self.image_size % self.patch_size == 0,
            f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}",
        )
        return self


@dataclass(config=_strict)
class TinyText:
    """open_clip's text tower. Shorter contexts than 16 tokens would cut pantomime's sentences."""

    context_length: Annotated[int, Field(ge=16)]
    vocab_size: Annotated[int, Field(ge=49408)]
    width: Count
    heads: Count
    layers: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyText":
        _require(self.width % self.heads == 0, f"width {self.width} is no multiple of heads {self.heads}")
        return self


@dataclass(config=_strict)
class TinyClipEncoder:
    """A small open_clip CLIP that the workflow trains itself on the corpus's pretraining pairs."""

    kind: Literal["tiny_clip"]
    name: Name
    embed_dim: Count
    vision: TinyVision
    text: TinyText
    pretraining: Pretraining
    frames: Count
    batch_size: Count


@dataclass(config=_strict)
class SeparateEncoder:
    """A text model and a picture model of transformers, each a local folder or a name on the hub. Their two spaces have
    nothing to do with each other."""

    kind: Literal["separate"]
    name: Name
    text: str
    vision: str
    frames: Count
    batch_size: Count


@dataclass(config=_strict)
class TinyBert:
    """A small BERT. Its vocabulary: letters, and the most frequent words of the training sentences."""

    vocab_size: Annotated[int, Field(ge=256)]
    context_length: Annotated[int, Field(ge=16)]
    width: Count
    heads: Count
    layers: Count

    @model_validator(mode="after")
    def _divides(self) -> "TinyBert":
        _require(self.width % self.heads == 0, f"width {self.width} is no multiple of heads {self.heads}")
        return self


@dataclass(config=_strict)
class MaskedWords(Fit):
    """BERT's pretraining: this share of the words is to be guessed."""

    masked: Annotated[float, Field(gt=0, lt=1)]


@dataclass(config=_strict)
class Autoencoding(Fit):
    """A picture through one vector and back, at a smaller size. In windows of so many pixels of the small picture a
    side, colour and contrast need not be rebuilt; `window` null has the picture rebuilt as it is."""

    rebuilt_size: Count
    window: Count | None

    @model_validator(mode="after")
    def _divides(self) -> "Autoencoding":
        whole = self.window is None or self.rebuilt_size % self.window == 0
        _require(whole, f"rebuilt_size {self.rebuilt_size} is no multiple of window {self.window}")
        return self


@dataclass(config=_strict)
class SeparatePretraining:
    """The two pretrainings have nothing in common: no pairs, no labels."""

    text: MaskedWords
    vision: Autoencoding


@dataclass(config=_strict)
class TinySeparateEncoder:
    """A small BERT and a small vision transformer that the workflow trains itself, apart from each other, on the
    sentences and on the pictures of the corpus's pretraining pairs."""

    kind: Literal["tiny_separate"]
    name: Name
    text: TinyBert
    vision: TinyVision
    pretraining: SeparatePretraining
    frames: Count
    batch_size: Count


Encoding = OpenClipEncoder | TinyClipEncoder | SeparateEncoder | TinySeparateEncoder
Encoder = Annotated[GivenEncoder | Encoding, Field(discriminator="kind")]


# --- methods, protocol, training, report ---------------------------------------------------------------


@dataclass(config=_strict)
class Variant:
    """A method with some of its options moved: a term of its loss taken out, or a choice of its design made
    otherwise."""

    label: str
    options: dict[str, Any]
    of: Literal["loss", "design"] = "loss"


@dataclass(config=_strict)
class MethodConfig:
    """One method.

    role: `proposed` is judged by the claims, `baseline` is what it is judged against, `upper` is the bound.
    depends_on: what the method's training depends on. `rate`: on the training mask; `victim`: on which
    modality may be missing, whatever the mask. A method that depends on neither is trained once a seed.
    At the study rate are run: each of `variants`; `sweeps`, one option over its values; `grids`, every combination of
    two options' values. `search`: the values of options that the search on dev tries (`trml search`).
    """

    target: str
    label: str
    role: Literal["proposed", "baseline", "upper"]
    depends_on: list[Literal["victim", "rate"]]
    options: dict[str, Any]
    variants: dict[Name, Variant] = field(default_factory=dict)
    sweeps: dict[str, list[float]] = field(default_factory=dict)
    grids: list[dict[str, list[float]]] = field(default_factory=list)
    search: dict[str, list[float]] = field(default_factory=dict)


@dataclass(config=_strict)
class Protocol:
    """What may be missing, how often, and with which mask seeds.

    rates: missing rates, in training and at evaluation alike. complete: the shares p of complete training utterances of
    Setting A (dev and test lack the victim entirely) and Setting B (dev and test keep the same share).
    """

    victims: Annotated[list[Victim], Field(min_length=1)]
    rates: Annotated[list[Share], Field(min_length=1)]
    complete: list[Share]
    study_rate: Share
    seeds: Annotated[list[Seed], Field(min_length=1)]

    @property
    def modalities(self) -> list[str]:
        """The victims that are one modality: those of the settings and of the studies."""
        return [victim for victim in self.victims if victim in ("vision", "text")]

    @property
    def setting_rates(self) -> list[float]:
        """The missing rates 1 - p of the settings."""
        return [round(1 - p, 6) for p in self.complete]

    def rates_of(self, victim: str) -> list[float]:
        """The rates at which a victim is missing."""
        return [rate for rate in self.rates if victim != "frames" or rate in (0.0, *FRAME_RATES, 1.0)]

    @model_validator(mode="after")
    def _distinct(self) -> "Protocol":
        for key in ("victims", "rates", "seeds", "complete"):
            values = getattr(self, key)
            _require(len(set(values)) == len(values), f"{key} names a value twice: {values}")
        _require(self.study_rate in self.rates, f"study_rate {self.study_rate} is not one of rates {self.rates}")
        _require(bool(self.modalities), f"victims {self.victims} names neither vision nor text")
        absent = sorted(set(self.setting_rates) - set(self.rates))
        _require(not absent, f"rates lacks {absent}, the missing rates of complete {self.complete}")
        return self


@dataclass(config=_strict)
class Training:
    """Shared by all methods, so that none is trained with more care than another."""

    epochs: Count
    patience: Count
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive
    weight_decay: NotNegative
    clip_norm: Positive
    hidden: Count
    chunk: Count | Literal["auto"]
    block: Count


@dataclass(config=_strict)
class Report:
    """What the results show."""

    resamples: Annotated[int, Field(ge=100)]
    conditions: list[Share]


@dataclass(config=_strict)
class Chosen:
    """What the search on dev chose for a method on a corpus through an encoder: of how many trials, its dev loss and
    that of the median trial, and the options' values. The methods' configurations take them from here."""

    trials: Count
    dev_loss: float
    median_dev_loss: float
    options: dict[str, Any]


@dataclass(config=_strict)
class Dataset:
    """A further dataset of an experiment: a corpus seen through an encoder, with which protocol (the experiment's own
    where it is null), and which methods (null: all).

    study: what it is there for. `corpus`: the same experiment on another corpus; `alignment`: the experiment's own
    corpus through encoders that share no space, against its own encoder; `redundancy`: pantomime with other weights, to
    see what of a missing modality can be recovered. `studies`: whether variants, sweeps and grids are run too.
    `chosen`: what a search on its own dev part chose (empty: the methods keep the experiment's values).
    """

    corpus: Corpus
    encoder: Encoder
    study: Literal["corpus", "alignment", "redundancy"] = "corpus"
    protocol: Protocol | None = None
    methods: list[Name] | None = None
    studies: bool = True
    chosen: dict[Name, Chosen] = field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> "Dataset":
        _require_fit(self.corpus, self.encoder)
        return self


def _require_fit(corpus: Corpus, encoder: Encoder) -> None:
    given = encoder.kind == "given"
    brings = corpus.kind == "mosi"
    remedy = "it brings its features, use encoder=given" if brings else "it brings media, use an encoder that encodes"
    _require(given == brings, f"encoder {encoder.name} does not fit corpus {corpus.name}: {remedy}")


@dataclass(config=_strict)
class Params:
    """The whole configuration of one experiment: params.yaml.

    The experiment is run on `corpus` through `encoder`, and in the same way on every dataset in `also`.
    """

    name: Name
    seed: Seed
    data: str
    device: Literal["auto", "cpu", "cuda"]
    corpus: Corpus
    encoder: Encoder
    methods: Annotated[dict[Name, MethodConfig], Field(min_length=1)]
    protocol: Protocol
    training: Training
    report: Report
    also: dict[Name, Dataset] = field(default_factory=dict)
    chosen: dict[Name, Chosen] = field(default_factory=dict)

    def each(self) -> dict[str, "Params"]:
        """The experiment on each of its datasets, by name; the first has its corpus's name and is the experiment's
        own."""
        return {self.corpus.name: replace(self, also={})} | {name: self._on(d) for name, d in self.also.items()}

    def _on(self, dataset: Dataset) -> "Params":
        methods = {n: m for n, m in self.methods.items() if dataset.methods is None or n in dataset.methods}
        for name in methods.keys() & dataset.chosen.keys():
            options = methods[name].options | dataset.chosen[name].options
            methods[name] = replace(methods[name], options=options)
        if not dataset.studies:
            methods = {n: replace(m, variants={}, sweeps={}, grids=[]) for n, m in methods.items()}
        protocol = dataset.protocol or self.protocol
        report = replace(self.report, conditions=[r for r in self.report.conditions if r in protocol.rates])
        return replace(
            self,
            corpus=dataset.corpus,
            encoder=dataset.encoder,
            protocol=protocol,
            methods=methods,
            report=report,
            also={},
            chosen=dataset.chosen or self.chosen,
        )

    @model_validator(mode="after")
    def _fits(self) -> "Params":
        _require_fit(self.corpus, self.encoder)
        _require(
            self.corpus.name not in self.also, f"also.{self.corpus.name} has the name of the experiment's own corpus"
        )
        absent = set(self.report.conditions) - set(self.protocol.rates)
        _require(not absent, f"report.conditions {sorted(absent)} are not among protocol.rates")
        for name, method in self.methods.items():
            _check_options(name, method)
        for name, dataset in self.also.items():
            unknown = sorted(set(dataset.methods or ()) - set(self.methods))
            _require(not unknown, f"also.{name}.methods names {unknown}; known are {', '.join(self.methods)}")
        proposed = [name for name, method in self.methods.items() if method.role == "proposed"]
        _require(
            len(proposed) <= 1, f"methods {proposed} have role proposed; the claims judge one: make the others baseline"
        )
        self._enough_resamples()
        return self

    def _enough_resamples(self) -> None:
        """A bootstrap p-value is never below 2 / (resamples + 1); Holm's correction must be able to bring it to 5 %."""
        roles = [method.role for method in self.methods.values()]
        victims, rates = len(self.protocol.modalities), sum(rate > 0 for rate in self.protocol.rates)
        comparisons = victims * max(roles.count("baseline") * rates, *(len(m.variants) for m in self.methods.values()))
        needed = 40 * comparisons
        _require(
            self.report.resamples >= needed,
            f"report.resamples is {self.report.resamples}; with {comparisons} comparisons in a claim no difference "
            f"could ever be significant, expected at least {needed}",
        )


# --- the options of a method, read from its source without importing it ----------------------------------


# Options that every method has, and that the trainer takes: its own learning rate, instead of training.learning_rate.
OF_TRAINER = {"learning_rate": "Positive"}


@lru_cache
def _signature(target: str) -> tuple[dict[str, str], frozenset[str]]:
    """The keyword options of a method's class: name -> annotation, as written in its `__init__`, and which of them
    have no default. Read with `ast`, because importing a method imports torch."""
    module, _, name = target.rpartition(".")
    path = module_file(module)
    _require(path is not None, f"target {target!r}: no module {module!r} can be found")
    assert path is not None
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    options = zip(item.args.kwonlyargs, item.args.kw_defaults, strict=True)
                    known = {a.arg: (ast.unparse(a.annotation) if a.annotation else "Any", d) for a, d in options}
                    required = frozenset(k for k, (_, default) in known.items() if default is None)
                    return OF_TRAINER | {k: annotation for k, (annotation, _) in known.items()}, required
            return OF_TRAINER, frozenset()
    raise ValueError(f"target {target!r}: {path} has no class {name!r}")


def _check_options(name: str, method: MethodConfig) -> None:
    """Check names and values against the signature, in place: a float option written as an integer becomes a float,
    so that equal values have equal digests."""
    known, required = _signature(method.target)
    place = f"methods.{name}"
    lacking = sorted(required - set(method.options))
    _require(not lacking, f"{place}.options lacks {', '.join(lacking)}")
    _require("default" not in method.variants, f"{place}.variants.default: the name is taken by the method as it is")
    where = {f"{place}.options": method.options}
    where |= {f"{place}.variants.{v}.options": variant.options for v, variant in method.variants.items()}
    for prefix, options in where.items():
        for key, value in options.items():
            _require(key in known, f"{prefix}.{key} is unknown{_nearest(key, known)}")
            options[key] = _as_annotated(value, known[key], f"{prefix}.{key}")
    ranges = {f"{place}.sweeps": method.sweeps, f"{place}.search": method.search}
    ranges |= {f"{place}.grids[{i}]": grid for i, grid in enumerate(method.grids)}
    for prefix, options in ranges.items():
        for key, values in options.items():
            _require(key in known, f"{prefix}.{key} is unknown{_nearest(key, known)}")
            _require(known[key] in _FLOATS, f"{prefix}.{key}: only options that are numbers with a point can be varied")
            options[key] = [_as_annotated(value, known[key], f"{prefix}.{key}") for value in values]


_FLOATS: dict[str, Any] = {"float": float, "Share": Share, "Positive": Positive, "NotNegative": NotNegative}
_OTHERS: dict[str, Any] = {"int": int, "Count": Count, "bool": bool, "str": str}


def _as_annotated(value: Any, annotation: str, place: str) -> Any:
    """The value as its annotation has it; annotations that are not known here are left to the method."""
    if annotation.startswith("Literal["):
        kind: Any = Literal[ast.literal_eval("(" + annotation[len("Literal[") : -1] + ",)")]
    elif annotation in _FLOATS or annotation in _OTHERS:
        kind = {**_FLOATS, **_OTHERS}[annotation]
    else:
        return value
    try:
        found = TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        raise ValueError(f"{place} is {value!r}; expected {_expected(error.errors()[0])}") from None
    return float(found) if annotation in _FLOATS else found


# --- composing and checking ------------------------------------------------------------------------------

_adapter: TypeAdapter[Params] = TypeAdapter(Params)


def check(raw: Any, source: str = "params.yaml") -> Params:
    """The checked configuration of a plain mapping.

    Raises ConfigError with one line per fault: where, what was found, what was expected.
    """
    try:
        return _adapter.validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        lines = [f"{source}: {_explain(fault, raw)}".removeprefix(": ") for fault in error.errors()]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def load(path: str | Path) -> Params:
    """Read and check a composed configuration file."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"{path} does not exist; expected a composed configuration. Make it: trml compose")
    try:
        raw = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return check(raw, str(path))


def compose(overrides: list[str], config_dir: Path) -> str:
    """The YAML text that Hydra composes from `config_dir` and the overrides, checked.

    The text equals what `dvc exp run -S` writes for the same overrides.
    """
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not (config_dir / "config.yaml").is_file():
        raise ConfigError(f"{config_dir}/config.yaml does not exist; run it in the project's folder, or give --config")
    try:
        config = _hydra(overrides, config_dir)
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_explain_hydra(error, overrides, config_dir)) from None
    text = OmegaConf.to_yaml(config)
    check(yaml.safe_load(text), "")
    return text


def _hydra(overrides: list[str], config_dir: Path) -> Any:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    with initialize_config_dir(str(config_dir.resolve()), version_base=None):
        return hydra_compose("config", overrides=overrides)


def json_schema() -> dict[str, Any]:
    """The JSON schema of params.yaml (workflow/schemas/params.schema.json)."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter.json_schema()}


def _nearest(name: str, known: Any) -> str:
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else f"; known are {', '.join(sorted(known))}"


def _siblings(path: tuple[Any, ...], raw: Any) -> list[str]:
    """The valid keys at the place of an unknown one, from the JSON schema."""
    schema = json_schema()
    definitions = schema["$defs"]
    for key in path[:-1]:
        node: dict[str, Any] = schema.get("properties", {}).get(key, schema.get("additionalProperties") or {})
        raw = raw.get(key, {}) if isinstance(raw, dict) else {}
        if "discriminator" in node:
            reference = node["discriminator"]["mapping"].get(raw.get("kind"), "")
        else:
            reference = node.get("$ref", "")
        schema = definitions.get(reference.rpartition("/")[2], node)
    return list(schema.get("properties", {}))


def _explain(fault: Any, raw: Any) -> str:
    path = _without_tags(fault["loc"], raw)
    place = ".".join(str(p) for p in path) or "the configuration"
    kind, context, found = fault["type"], fault.get("ctx", {}), fault.get("input")
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{place} is unknown{_nearest(str(path[-1]), _siblings(path, raw))}"
    if kind in ("missing", "missing_argument", "union_tag_not_found"):
        return f"{place}{'.kind' if kind == 'union_tag_not_found' else ''} is missing"
    if kind == "union_tag_invalid":
        return f"{place}.kind is {context.get('tag')!r}; expected one of {context.get('expected_tags')}"
    if kind == "value_error":
        return str(context["error"]) if not path else f"{place}: {context['error']}"
    if kind == "literal_error":
        allowed = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        return f"{place} is {found!r}{_nearest(str(found), allowed)} (expected {context['expected']})"
    return f"{place} is {found!r}; expected {_expected(fault)}"


def _without_tags(location: tuple[Any, ...], raw: Any) -> tuple[Any, ...]:
    """A fault's place as users write it: a discriminated union puts its tag, the kind, after `corpus` and `encoder`."""
    path: list[Any] = []
    for part in location:
        if path and path[-1] in ("corpus", "encoder") and isinstance(raw, dict) and part == raw.get("kind"):
            continue
        path.append(part)
        raw = raw.get(part) if isinstance(raw, dict) else None
    return tuple(path)


def _expected(fault: Any) -> str:
    return fault["msg"].removeprefix("Input should be ").removeprefix("a valid ")


def _explain_hydra(error: Exception, overrides: list[str], config_dir: Path) -> str:
    text = " ".join(str(error).split())
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        folder = config_dir / key
        known = [p.stem for p in folder.glob("*.yaml")]
        for choice in value.strip("[]").split(",") if known else []:
            if choice.strip() not in known:
                return f"{key}={choice.strip()}: no such choice{_nearest(choice.strip(), known)}"
    base = _compose_keys(config_dir)
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0]
        if key not in base and not (config_dir / key).is_dir():
            return f"{key} is unknown{_nearest(key, base)}"
    return text


def _compose_keys(config_dir: Path) -> list[str]:
    """All dotted keys of the default composition, for naming the nearest one."""
    from omegaconf import OmegaConf

    tree = OmegaConf.to_container(_hydra([], config_dir))

    def walk(node: Any, prefix: str) -> list[str]:
        if not isinstance(node, dict):
            return [prefix]
        return [
            prefix,
            *(k for key, child in node.items() for k in walk(child, f"{prefix}.{key}" if prefix else str(key))),
        ]

    return walk(tree, "")[1:]
