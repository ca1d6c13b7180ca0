from pathlib import Path

from trml.config import FetchedCorpus, Source


def missing(config: FetchedCorpus, data: Path) -> list[Source]:
    return [s for s in config.sources if not (data / config.folder / s.file).exists()]
