"""Options of MELD in its raw layout, and where its files are."""

import re
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic.dataclasses import dataclass

from trml.base.errors import DataMissing
from trml.base.fields import strict
from trml.corpora.common.config import CorpusConfig
from trml.corpora.common.raw_files import find_files
from trml.sources.fetching.config import FetchedCorpus, Source

# Our name of a split -> MELD's, and the folder of its clips below MELD.Raw.
SPLITS = {
    "train": ("train", "train_splits"),
    "valid": ("dev", "dev_splits_complete"),
    "test": ("test", "output_repeated_splits_test"),
}
_CLIP = re.compile(r"(final_videos_test)?(dia\d+_utt\d+)")


@dataclass(config=strict)
class MeldConfig(FetchedCorpus, CorpusConfig):
    """MELD: a table a split, and a clip an utterance.

    Attributes:
        kind: `meld`.
        task: The classes that are predicted.
        vision: Whether clips are used. Without them vision is missing in every utterance.
    """

    kind: Literal["meld"]
    task: Literal["sentiment", "emotion"]
    vision: bool

    modalities = ("text", "vision")
    published_as: ClassVar[str | None] = "MELD"

    def wanted(self, data: Path) -> list[Source]:
        """Return the sources: no archive without vision, and no table that came with the archive."""
        beside = data / self.folder / "MELD.Raw"
        return [s for s in self.sources if (self.vision if s.gives else not (beside / s.file).is_file())]

    def forms(self) -> list[Self]:
        """Return this configuration, then the one with the texts alone."""
        return [self, replace(self, vision=False)]

    def raw_files(self, data: Path) -> list[Path]:
        """Return the three tables and, with vision, the clips; raise DataMissing."""
        tables = [self.table_file(data, split) for split in SPLITS]
        clips = [path for split in SPLITS for path in self.clip_files(data, split)[0].values()]
        return sorted(tables + clips)

    def table_file(self, data: Path, split: str) -> Path:
        """Return a split's table, from the corpus's folder or from MELD.Raw, where the archive has it."""
        name = f"{SPLITS[split][0]}_sent_emo.csv"
        try:
            return find_files(self.name, data, self.folder, name)[0]
        except DataMissing:
            return find_files(self.name, data, self.folder, f"MELD.Raw/{name}")[0]

    def clip_files(self, data: Path, split: str) -> tuple[dict[str, Path], list[str]]:
        """Return the clips of a split by `dia<d>_utt<u>`, and the names of clips that another one replaces."""
        if not self.vision:
            return {}, []
        otherwise = ", or use the texts alone: corpus.vision=false"
        files = find_files(self.name, data, self.folder, f"MELD.Raw/{SPLITS[split][1]}/*.mp4", otherwise)
        clips: dict[str, Path] = {}
        replaced = []
        for path in files:  # sorted, so `dia...` comes before its `final_videos_testdia...`
            match = _CLIP.fullmatch(path.stem)
            if match:
                if match[2] in clips:
                    replaced.append(clips[match[2]].name)
                clips[match[2]] = path
        return clips, replaced
