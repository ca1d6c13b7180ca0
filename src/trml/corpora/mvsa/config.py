"""Options of MVSA-Single, as it is published and as a sample, and where their files are."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic.dataclasses import dataclass

from trml.base.fields import Name, strict
from trml.corpora.common.config import CorpusConfig
from trml.corpora.common.official_splits import read_folds
from trml.corpora.common.raw_files import find_files
from trml.sources.fetching.config import FetchedCorpus


@dataclass(config=strict)
class MvsaSampleConfig(CorpusConfig):
    """A sample of MVSA-Single: photo and text posts in one parquet file.

    Attributes:
        kind: `mvsa_sample`.
        name: Of the corpus.
        folder: Below data.
        file: The parquet file in it.
    """

    kind: Literal["mvsa_sample"]
    name: Name
    folder: str
    file: str

    modalities = ("text", "vision")
    build_module: ClassVar[str] = "sample"

    def raw_files(self, data: Path) -> list[Path]:
        """Return the parquet file."""
        return [data / self.folder / self.file]


@dataclass(config=strict)
class MvsaSingleConfig(FetchedCorpus, CorpusConfig):
    """MVSA-Single as it is published: a folder of photos and texts, and a table of labels."""

    kind: Literal["mvsa_single"]

    modalities = ("text", "vision")
    published_as: ClassVar[str | None] = "MVSA-Single"

    def raw_files(self, data: Path) -> list[Path]:
        """Return the table, and the photos and texts of the folds' posts; raise DataMissing."""
        folds = read_folds(self.kind)
        posts = [*self.posts(data, "txt").items(), *self.posts(data, "jpg").items()]
        return sorted([self.table_file(data), *(path for post, path in posts if post in folds)])

    def table_file(self, data: Path) -> Path:
        """Return the table of labels."""
        (path,) = find_files(self.name, data, self.folder, "MVSA_Single/labelResultAll.txt")
        return path

    def posts(self, data: Path, suffix: str) -> dict[str, Path]:
        """Return the files of posts with a suffix, by the post's number."""
        files = find_files(self.name, data, self.folder, f"MVSA_Single/data/*.{suffix}")
        return {path.stem: path for path in files}
