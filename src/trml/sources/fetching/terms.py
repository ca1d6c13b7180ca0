"""The terms of corpora, and which of them the user has accepted: data/terms.json, name -> date and text."""

import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import yaml

from trml.base.artifacts import write_json
from trml.base.errors import ConfigError, TermsNotAccepted
from trml.base.lock import alone
from trml.base.nearest import nearest
from trml.sources.fetching.config import FetchedCorpus, Terms


def known_terms(config_dir: Path) -> dict[str, Terms]:
    """The terms of all corpora in config_dir/corpus, by name."""
    found = {}
    for path in sorted((config_dir / "corpus").glob("*.yaml")):
        try:
            terms = (yaml.safe_load(path.read_text()) or {}).get("terms")
            if terms is not None:
                found[terms["name"]] = Terms(**terms)
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{path}: its terms cannot be read; expected name, text and url ({error})") from None
    if not found:
        raise ConfigError(f"{config_dir}/corpus has no corpus with terms; run it in the project's folder")
    return found


def accept(name: str, data: Path, config_dir: Path = Path("config")) -> Terms:
    """Record that the user accepts these terms. Raises ConfigError with the nearest name where there are none such."""
    known = known_terms(config_dir)
    if name not in known:
        raise ConfigError(f"{name}: there are no such terms{nearest(name, known)}")
    terms, path = known[name], data / "terms.json"
    with alone(path):
        write_json(path, {**_read(path), name: {"date": f"{datetime.now(UTC):%Y-%m-%d}", "text": terms.text}})
    return terms


def is_accepted(terms: Terms, data: Path, accepted: Collection[str] = ()) -> bool:
    """Whether these terms are accepted, by the configuration or by `trml accept`: then with this very text."""
    return terms.name in accepted or _read(data / "terms.json").get(terms.name, {}).get("text") == terms.text


def require_accepted(config: FetchedCorpus, data: Path, accepted: Collection[str]) -> None:
    """Raise TermsNotAccepted, with the terms, where they are not."""
    terms = config.terms
    if not is_accepted(terms, data, accepted):
        raise TermsNotAccepted(
            f"corpus {config.name} has terms that are accepted before it is fetched:\n{terms.text}\n{terms.url}\n"
            f"Accept them: trml accept {terms.name} --data {data}   (or accept_terms=[{terms.name}] in the "
            "configuration)"
        )


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads(path.read_text())
        if not all(isinstance(entry, dict) for entry in found.values()):
            raise ValueError("an entry is no object")
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        raise TermsNotAccepted(f"{path} is damaged; remove it and accept again: trml accept NAME") from None
    return found
