"""Record in data/terms.json which terms of corpora the user has accepted: name -> date and text."""

import json
from collections.abc import Collection, Mapping
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
    """Record that the user accepts terms, by their own name or a corpus's.

    Raises:
        ConfigError: If they are unknown; it names the nearest.
    """
    known = known_terms(config_dir)
    terms = known.get(name) or _of_corpus(name, known, config_dir)
    if terms is None:
        raise ConfigError(f"there are no terms {name!r}{nearest(name, known)}")
    record(terms, data)
    return terms


def _of_corpus(name: str, known: Mapping[str, Terms], config_dir: Path) -> Terms | None:
    """Return the terms of a corpus of config_dir, None if it has none."""
    path = config_dir / "corpus" / f"{name}.yaml"
    options = (read_yaml(path) or {}) if path.is_file() else {}
    return known.get(options.get("terms", {}).get("name", ""))


def record(terms: Terms, data: Path) -> None:
    """Record that the user accepts terms."""
    path = data / "terms.json"
    with alone(path):
        write_json(path, {**_read(path), terms.name: {"date": f"{datetime.now(UTC):%Y-%m-%d}", "text": terms.text}})


def is_accepted(terms: Terms, data: Path, accepted: Collection[str] = ()) -> bool:
    """Return whether terms are accepted, by the configuration or, with exactly this text, by `trml fetch`."""
    return terms.name in accepted or _read(data / "terms.json").get(terms.name, {}).get("text") == terms.text


def require_accepted(config: FetchedCorpus, data: Path, accepted: Collection[str]) -> None:
    """Raise TermsNotAccepted, with the terms in the message, unless they are accepted."""
    terms = config.terms
    if not is_accepted(terms, data, accepted):
        raise TermsNotAccepted(
            f"corpus {config.name} has terms to accept before it is fetched:\n{terms.text}\n{terms.url}\n"
            f"Accept them: trml fetch {config.name} --data {data} --accept-terms"
        )


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        entries: dict[str, dict[str, str]] = json.loads(path.read_text())
        if not all(isinstance(entry, dict) for entry in entries.values()):
            raise ValueError("an entry is not an object")
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, RecursionError):
        raise TermsNotAccepted(f"{path} is damaged. Remove it and accept the terms again: trml fetch NAME") from None
    return entries
