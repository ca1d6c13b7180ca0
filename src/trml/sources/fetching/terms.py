"""Record in data/terms.json which terms of corpora the user has accepted: name -> date and text."""

import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from trml.base.artifacts import write_json
from trml.base.errors import ConfigError, TermsNotAccepted
from trml.base.lock import alone
from trml.base.nearest import nearest
from trml.base.yaml_reader import read_yaml
from trml.sources.fetching.config import FetchedCorpus, Terms


def known_terms(config_dir: Path) -> dict[str, Terms]:
    """Return the terms of all corpora in config_dir/corpus, by name; raise ConfigError if there are none."""
    known = {}
    for path in sorted((config_dir / "corpus").glob("*.yaml")):
        try:
            terms = (read_yaml(path) or {}).get("terms")
            if terms is not None:
                known[terms["name"]] = Terms(**terms)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{path}: its terms cannot be read; expected name, text and url ({error})") from None
    if not known:
        raise ConfigError(f"{config_dir}/corpus has no corpus with terms. Run trml in the project's folder")
    return known


def accept(name: str, data: Path, config_dir: Path = Path("config")) -> Terms:
    """Record that the user accepts terms; raise ConfigError with the nearest name if they are unknown."""
    known = known_terms(config_dir)
    if name not in known:
        raise ConfigError(f"there are no terms {name!r}{nearest(name, known)}")
    terms, path = known[name], data / "terms.json"
    with alone(path):
        write_json(path, {**_read(path), name: {"date": f"{datetime.now(UTC):%Y-%m-%d}", "text": terms.text}})
    return terms


def is_accepted(terms: Terms, data: Path, accepted: Collection[str] = ()) -> bool:
    """Return whether terms are accepted, by the configuration or, with exactly this text, by `trml accept`."""
    return terms.name in accepted or _read(data / "terms.json").get(terms.name, {}).get("text") == terms.text


def require_accepted(config: FetchedCorpus, data: Path, accepted: Collection[str]) -> None:
    """Raise TermsNotAccepted, with the terms in the message, unless they are accepted."""
    terms = config.terms
    if not is_accepted(terms, data, accepted):
        raise TermsNotAccepted(
            f"corpus {config.name} has terms to accept before it is fetched:\n{terms.text}\n{terms.url}\n"
            f"Accept them: trml accept {terms.name} --data {data}   (or accept_terms=[{terms.name}] in the "
            "configuration)"
        )


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        entries: dict[str, dict[str, str]] = json.loads(path.read_text())
        if not all(isinstance(entry, dict) for entry in entries.values()):
            raise ValueError("an entry is not an object")
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, RecursionError):
        raise TermsNotAccepted(f"{path} is damaged. Remove it and accept the terms again: trml accept NAME") from None
    return entries
