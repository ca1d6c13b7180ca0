"""Build MVSA-Single as it is published: a photo and a text a post, and a table that labels each of the two."""

from pathlib import Path

from trml.base.errors import ContractError
from trml.base.printable import shortened
from trml.corpora.common.official_splits import read_folds, repeated
from trml.corpora.common.raw_layout import RawCorpus, Utterance, normalised, write_raw
from trml.corpora.contract import CorpusInfo
from trml.corpora.mvsa.config import MvsaSingleConfig
from trml.sources.formats.numbers import count

CLASSES = ["negative", "neutral", "positive"]

_OFFICIAL = {"train": 3611, "valid": 404, "test": 406}


def build(config: MvsaSingleConfig, data: Path, folder: Path, digest: str, workers: int) -> None:
    """Write the corpus into `folder`: labels index negative, neutral, positive.

    Raises:
        DataMissing: If raw files are absent.
        ContractError: If the table of labels does not have the expected form.
    """
    raw, folds, repeats = RawCorpus(), read_folds(config.kind), repeated(config.kind)
    labels = _labels(config.table_file(data), raw)
    texts, photos = config.posts(data, "txt"), config.posts(data, "jpg")
    for guid in sorted({*labels, *texts, *photos, *folds}, key=lambda guid: (len(guid), guid)):
        if guid in repeats:
            raw.leave_out(guid, "a post whose photo or text repeats an earlier split")
        elif guid not in folds:
            raw.leave_out(guid, "a post in no fold")
        elif guid not in labels:
            raw.leave_out(guid, "a post without label")
        elif (label := one_label(*labels[guid])) is None:
            raw.leave_out(guid, "a post with one label positive and the other negative")
        else:
            text = normalised(raw.read_text(texts[guid])) if guid in texts else ""
            photo = photos[guid].relative_to(data / config.folder).as_posix() if guid in photos else None
            raw.add(Utterance(guid, guid, folds[guid], text, photo, None, None, CLASSES.index(label)))
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
            "The label is the one on which photo and text agree. If one of them is neutral, it is the other's.",
        ],
        digest=digest,
        root=config.folder,
    )
    write_raw(folder, info, raw, _OFFICIAL)


def one_label(text: str, image: str) -> str | None:
    """Return a post's label from those of its parts: neutral yields to the other. None if they contradict."""
    if image in {text, "neutral"}:
        return text
    return image if text == "neutral" else None


def _labels(path: Path, raw: RawCorpus) -> dict[str, tuple[str, str]]:
    """Return the labels of text and photo by post; raise ContractError with the line of a fault."""
    labels: dict[str, tuple[str, str]] = {}
    header, *lines = raw.read_lines(path)
    if header.split() != ["ID", "text,image"]:
        raise ContractError(f"{path}, line 1: {shortened(header)}; expected the columns `ID` and `text,image`")
    for place, line in enumerate(lines, 2):
        fields = [field.strip() for field in line.replace(",", "\t").split("\t")]
        if fields == [""]:
            continue
        if len(fields) != 3 or count(fields[0]) is None or not {*fields[1:]} <= {*CLASSES}:
            raise ContractError(
                f"{path}, line {place}: {shortened(line)}; expected a number and two of {', '.join(CLASSES)}"
            )
        if fields[0] in labels:
            raise ContractError(f"{path}, line {place}: post {fields[0]} is listed twice; expected each once")
        labels[fields[0]] = (fields[1], fields[2])
    return labels
