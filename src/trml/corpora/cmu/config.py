"""Options of CMU-MOSI and CMU-MOSEI in their raw layouts, and where their files are."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic.dataclasses import dataclass

from trml.base.fields import strict
from trml.corpora.common.config import CorpusConfig
from trml.corpora.common.official_splits import read_folds
from trml.corpora.common.raw_files import find_files
from trml.sources.fetching.config import FetchedCorpus, Source


@dataclass(config=strict)
class CmuConfig(FetchedCorpus, CorpusConfig):
    """What the two corpora share: transcripts, labels in a .csd file, and clips.

    Attributes:
        clips: `segmented` takes the clip that the corpus has for each segment, `full` the segment's seconds of the
            whole video.
        labels: Glob patterns of the files, below the corpus's folder; so are `transcripts`, `segmented` and `full`.
    """

    clips: Literal["segmented", "full"]

    modalities = ("text", "vision")
    packages: ClassVar[tuple[str, ...]] = ("av", "pillow", "numpy", "h5py")
    labels: ClassVar[str]
    transcripts: ClassVar[str]
    segmented: ClassVar[str]
    full: ClassVar[str]

    def wanted(self, data: Path) -> list[Source]:
        """Return the sources. With `full` clips, an archive gives whole videos in place of cut ones."""
        if self.clips == "segmented":
            return self.sources
        return [replace(source, gives=[self._whole(pattern) for pattern in source.gives]) for source in self.sources]

    def _whole(self, pattern: str) -> str:
        return self.full if pattern == self.segmented else pattern

    def forms(self) -> list[Self]:
        """Return this configuration, then the one with whole videos."""
        return [self, replace(self, clips="full")]

    def raw_files(self, data: Path) -> list[Path]:
        """Return the labels, and the transcripts and clips of the official folds' videos; raise DataMissing."""
        folds = read_folds(self.kind)
        transcripts = [path for video, path in self.transcript_files(data).items() if video in folds]
        return sorted([self.label_file(data), *transcripts, *self.clip_files(data).values()])

    def label_file(self, data: Path) -> Path:
        """Return the label .csd."""
        (path,) = find_files(self.name, data, self.folder, self.labels)
        return path

    def transcript_files(self, data: Path) -> dict[str, Path]:
        """Return every transcript, by video."""
        return {path.stem: path for path in find_files(self.name, data, self.folder, self.transcripts)}

    def clip_files(self, data: Path) -> dict[str, Path]:
        """Return the clips of the official folds' videos: by `<video>_<segment>`, or by video if they are whole."""
        cut, folds = self.clips == "segmented", read_folds(self.kind)
        used, other = (self.segmented, self.full) if cut else (self.full, self.segmented)
        otherwise = ""
        if any((data / self.folder).glob(other)):
            otherwise = f", or use those in {Path(other).parent}: corpus.clips={'full' if cut else 'segmented'}"
        files = find_files(self.name, data, self.folder, used, otherwise)
        return {path.stem: path for path in files if (path.stem.rpartition("_")[0] if cut else path.stem) in folds}


@dataclass(config=strict)
class CmuMosiConfig(CmuConfig):
    """CMU-MOSI."""

    kind: Literal["cmu_mosi"]

    published_as: ClassVar[str | None] = "CMU-MOSI"
    build_module: ClassVar[str] = "mosi"
    labels: ClassVar[str] = "CMU_MOSI_Opinion_Labels.csd"
    transcripts: ClassVar[str] = "Raw/Transcript/Segmented/*.annotprocessed"
    segmented: ClassVar[str] = "Raw/Video/Segmented/*.mp4"
    full: ClassVar[str] = "Raw/Video/Full/*.mp4"


@dataclass(config=strict)
class CmuMoseiConfig(CmuConfig):
    """CMU-MOSEI."""

    kind: Literal["cmu_mosei"]

    published_as: ClassVar[str | None] = "CMU-MOSEI"
    build_module: ClassVar[str] = "mosei"
    labels: ClassVar[str] = "CMU_MOSEI_Labels.csd"
    transcripts: ClassVar[str] = "Raw/Transcript/Segmented/Combined/*.txt"
    segmented: ClassVar[str] = "Raw/Videos/Segmented/Combined/*.mp4"
    full: ClassVar[str] = "Raw/Videos/Full/Combined/*.mp4"
