"""MVSA-Single as it is published: a photo and a text a post, and one table in which each has a label of its own."""

from pathlib import Path

from trml.base.errors import ContractError
from trml.corpora.common.official_splits import read_folds, repeated
from trml.corpora.common.raw_layout import Gathered, Utterance, find_files, tidy, write_raw
from trml.corpora.contract import CorpusInfo
from trml.corpora.mvsa.config import MvsaSingleConfig

CLASSES = ["negative", "neutral", "positive"]

_TABLE, _POSTS = "MVSA_Single/labelResultAll.txt", "MVSA_Single/data"

_OFFICIAL = {"train": 3611, "valid": 404, "test": 406}


def raw_files(config: MvsaSingleConfig, data: Path) -> list[Path]:
    """The table, and the photos and texts of the folds' posts. Raises DataMissing."""
    folds = read_folds(config.kind)
    table = find_files(config.name, data, config.folder, _TABLE)
    posts = [*_posts(config, data, "txt").items(), *_posts(config, data, "jpg").items()]
    return sorted([*table, *(path for guid, path in posts if guid in folds)])


def build(config: MvsaSingleConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Fill `folder` with the corpus: labels index negative, neutral, positive. Raises DataMissing and ContractError."""
    gathered, folds, repeats = Gathered(), read_folds(config.kind), repeated(config.kind)
    (path,) = find_files(config.name, data, config.folder, _TABLE)
    labels = _labels(path, gathered)
    texts, photos = _posts(config, data, "txt"), _posts(config, data, "jpg")
    for guid in sorted({*labels, *texts, *photos, *folds}, key=lambda guid: (len(guid), guid)):
        if guid in repeats:
            gathered.leave_out(guid, "a post whose photo or text repeats an earlier split")
        elif guid not in folds:
            gathered.leave_out(guid, "a post in no fold")
        elif guid not in labels:
            gathered.leave_out(guid, "a post without label")
        elif (label := one_label(*labels[guid])) is None:
            gathered.leave_out(guid, "a post with one label positive and the other negative")
        else:
            text = tidy(gathered.read_text(texts[guid])) if guid in texts else ""
            photo = photos[guid].relative_to(data / config.folder).as_posix() if guid in photos else None
            gathered.add(Utterance(guid, guid, folds[guid], text, photo, None, None, CLASSES.index(label)))
    info = CorpusInfo(
        name=config.name,
        title="MVSA-Single",
        task="classification",
        classes=CLASSES,
        source="MVSA-Single (Niu et al., MMM 2016)",
        licence=config.licence,
        media="raw",
        notes=[
            "Splits: those of the CLMLF code (10-flod-1), without 90 posts of valid and test whose photo or text is"
            " also in an earlier split.",
            "The label is that on which photo and text agree, or the other one where one of them is neutral.",
        ],
        digest=digest,
        root=config.folder,
    )
    write_raw(folder, info, gathered, _OFFICIAL)


def one_label(text: str, image: str) -> str | None:
    """The label of a post from those of its parts: neutral yields to the other; None where they contradict."""
    if image in {text, "neutral"}:
        return text
    return image if text == "neutral" else None


def _posts(config: MvsaSingleConfig, data: Path, suffix: str) -> dict[str, Path]:
    return {path.stem: path for path in find_files(config.name, data, config.folder, f"{_POSTS}/*.{suffix}")}


def _labels(path: Path, gathered: Gathered) -> dict[str, tuple[str, str]]:
    """The labels of text and photo by post. Raises ContractError that names the line."""
    labels: dict[str, tuple[str, str]] = {}
    header, *lines = gathered.read_lines(path)
    if header.split() != ["ID", "text,image"]:
        raise ContractError(f"{path} begins with {header[:40]!r}; expected `ID` and `text,image`")
    for place, line in enumerate(lines, 2):
        fields = [field.strip() for field in line.replace(",", "\t").split("\t")]
        if fields == [""]:
            continue
        if len(fields) != 3 or not fields[0].isdecimal() or not {*fields[1:]} <= {*CLASSES}:
            raise ContractError(
                f"{path}, line {place}: {line[:60]!r}; expected a number and two of {', '.join(CLASSES)}"
            )
        if fields[0] in labels:
            raise ContractError(f"{path}, line {place}: post {fields[0]} is there twice; expected each once")
        labels[fields[0]] = (fields[1], fields[2])
    return labels
