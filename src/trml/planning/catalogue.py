"""What there is to choose from: methods, corpora, encoders and experiments, by the files of config/ and the registries.

Nothing is composed, so a list is there at once. What is searched for shows its value without a search.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from trml.base.errors import CommandError, DataMissing
from trml.base.modules import module_file
from trml.base.nearest import nearest
from trml.corpora.registry import shipped
from trml.features.encoders.registry import defaults as encoder_defaults
from trml.features.encoders.registry import kinds as encoder_kinds
from trml.planning.bibliography import origin_of
from trml.sources.fetching.config import FetchedCorpus
from trml.sources.fetching.terms import is_accepted

_TRAINED = {"victim": ("pattern",), "rate": ("pattern", "rate")}  # at a rate above zero another for each pattern
_SELECT = re.compile(r"^\$\{oc\.select:[\w.]+,\s*(.*)\}$")
_REFERENCE = re.compile(r"^\$\{(\w+)\.(\w+)\}$")


@dataclass(frozen=True)
class Entry:
    """Something to choose.

    Attributes:
        name: What chooses it.
        facts: For a table: column -> words.
        detail: What else there is to know: heading -> words, or key -> value.
    """

    name: str
    facts: Mapping[str, str]
    detail: Mapping[str, Any] = field(default_factory=dict)


def methods(config: Path) -> list[Entry]:
    """Return the methods: label, role, and once for every what each is trained."""
    return [_method(path, config) for path in _files(config, "method")]


def _method(path: Path, config: Path) -> Entry:
    raw = _read(path)
    parts = dict.fromkeys(
        part for each in ("victim", "rate") if each in raw.get("depends_on", ()) for part in _TRAINED[each]
    )
    every = " and ".join(filter(None, (", ".join(parts), "seed")))
    facts = {"label": str(raw["label"]), "role": str(raw["role"]), "trained once for every": every}
    target = str(raw["target"])
    file = module_file(target.rpartition(".")[0])
    detail = {
        "class": target,
        "options": {key: _plain(value, config) for key, value in raw.get("options", {}).items()},
        "searched": raw.get("search", {}),
        "selected": _selected(path.stem, config),
        "variants": {name: variant["label"] for name, variant in raw.get("variants", {}).items()},
        "swept": raw.get("sweeps", {}),
        "configuration": str(path),
        "source": _source(file),
        "publications": _keys(file.with_suffix(".bib") if file else None),
    }
    return Entry(path.stem, facts | {"role": facts["role"].replace("upper", "upper bound")}, detail)


def _selected(method: str, config: Path) -> dict[str, Any]:
    """Return what searches on dev chose for a method, by corpus and encoder."""
    chosen = {path.stem: _read(path).get(method) for path in _files(config, "chosen")}
    return {name: each["options"] for name, each in chosen.items() if each}


def corpora(config: Path, data: Path) -> list[Entry]:
    """Return the corpora: kind, modalities, what is to be fetched, and whether terms are accepted."""
    return [_corpus(name, each, data) for name, each in sorted(shipped(config).items())]


def _corpus(name: str, corpus: Any, data: Path) -> Entry:
    fetched = isinstance(corpus, FetchedCorpus)
    files = "generated" if not fetched and corpus.kind == "pantomime" else "yours"
    terms = ""
    if fetched:
        there = not corpus.unfetched_sources(data)
        files = "present" if there and corpus.sources else "to be fetched" if corpus.sources else "brought by hand"
        terms = "accepted" if is_accepted(corpus.terms, data) else "not accepted"
        terms = terms if corpus.sources else "need no acceptance"
    facts = {
        "kind": corpus.kind,
        "modalities": ", ".join(corpus.modalities),
        "brings": corpus.brings,
        "files": files,
        "terms": terms,
    }
    file = module_file(type(corpus).__module__)
    detail: dict[str, Any] = {
        "options": {k: v for k, v in asdict(corpus).items() if k not in ("terms", "sources", "kind", "name")},
        "source": _source(file),
        "publications": _keys(file.with_name(f"{corpus.kind}.bib") if file else None),
    }
    if fetched:
        detail["licence"] = corpus.licence
        detail["terms"] = f"{corpus.terms.text} {corpus.terms.url}"
        detail["files"] = {each.file: ", ".join(each.urls) for each in corpus.sources}
        detail["folder"] = str(data / corpus.folder)
    elif url := origin_of(corpus).url:
        detail["url"] = url
    return Entry(name, facts, detail)


def encoders(config: Path) -> list[Entry]:
    """Return the encoders: kind, modalities, and where weights come from."""
    named = {path.stem: _whole(path) for path in _files(config, "encoder")}
    return [_encoder(name, raw, config) for name, raw in sorted({**encoder_defaults(), **named}.items())]


def _encoder(name: str, raw: Mapping[str, Any], config: Path) -> Entry:
    cls = encoder_kinds()[raw["kind"]]
    weights = "pretrained, downloaded once" if cls.modalities else "none"
    weights = "trained by the workflow" if cls.pretrained else weights
    facts = {"kind": raw["kind"], "modalities": ", ".join(cls.modalities) or "features as given", "weights": weights}
    file, path = module_file(cls.__module__), config / "encoder" / f"{name}.yaml"
    detail = {
        "options": {key: value for key, value in raw.items() if key not in ("kind", "name")},
        "configuration": str(path) if path.is_file() else None,
        "source": _source(file),
        "publications": _keys(file.with_name(f"{raw['kind']}.bib") if file else None),
    }
    return Entry(name, facts, detail)


def experiments(config: Path, results: Path = Path("results")) -> list[Entry]:
    """Return the experiments: corpus, encoder, whether there are published results, and what each is for."""
    return [_experiment(path, results) for path in _files(config, "experiment")]


def _experiment(path: Path, results: Path) -> Entry:
    raw, words = _read(path), _comment(path)
    chosen = {
        key.removeprefix("override /"): value
        for each in raw.get("defaults", [])
        if isinstance(each, Mapping)
        for key, value in each.items()
    }
    published = results / path.stem
    facts = {
        "corpus": str(chosen.get("corpus", "pantomime")),
        "encoder": str(chosen.get("encoder", "tiny_clip")),
        "published": "yes" if (published / "manifest.json").is_file() else "no",
        "what": re.split(r"(?<=[.:?])\s", words, maxsplit=1)[0].rstrip(":"),
    }
    detail = {
        "about": words,
        "protocol": str(chosen.get("protocol", "balanced")),
        "datasets": list(raw.get("datasets", {})),
        "configuration": str(path),
        "results": str(published) if facts["published"] == "yes" else None,
        "run": f"trml run {path.stem}",
    }
    return Entry(path.stem, facts, detail)


def chosen(entries: list[Entry], name: str, what: str) -> Entry:
    """Return one entry by name.

    Raises:
        CommandError: If there is none; it names the nearest.
    """
    by_name = {entry.name: entry for entry in entries}
    if name not in by_name:
        raise CommandError(f"there is no {what} {name!r}{nearest(name, by_name)}")
    return by_name[name]


def _files(config: Path, group: str) -> list[Path]:
    folder = config / group
    if not folder.is_dir():
        raise DataMissing(
            f"{folder} does not exist in {Path.cwd()}: it is no checkout of trml",
            command="cd <checkout> && trml methods",
        )
    return sorted(folder.glob("*.yaml"))


def _read(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text())
    return loaded if isinstance(loaded, dict) else {}


def _whole(path: Path) -> dict[str, Any]:
    """Return a file's settings on top of those of the files of its folder that it starts from."""
    raw = _read(path)
    bases = [_whole(path.with_name(f"{base}.yaml")) for base in raw.pop("defaults", []) if base != "_self_"]
    return {key: value for settings in (*bases, raw) for key, value in settings.items()}


def _comment(path: Path) -> str:
    """Return the comment that a file starts with, as one paragraph."""
    lines = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        if "@package" not in line:
            lines.append(line.lstrip("# ").strip())
    return " ".join(lines)


def _plain(value: Any, config: Path) -> Any:
    """Return the value that an interpolation has without a search."""
    if not isinstance(value, str):
        return value
    if match := _SELECT.match(value):
        return _plain(yaml.safe_load(match[1]) if not match[1].startswith("${") else match[1], config)
    if match := _REFERENCE.match(value):
        path = config / match[1] / "default.yaml"
        return _read(path).get(match[2], value) if path.is_file() else value
    return value


def _source(file: Path | None) -> str | None:
    if file is None:
        return None
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


def _keys(path: Path | None) -> list[str]:
    """Return the keys of a file of BibTeX, none without it."""
    if path is None or not path.is_file():
        return []
    return re.findall(r"^@\w+\{([^,\s]+),", path.read_text(), re.MULTILINE)
