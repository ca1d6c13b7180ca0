"""The Croissant description of a corpus: valid, complete, readable through mlcroissant, and true of its folder."""

import json
import shutil
import warnings
from dataclasses import replace

import mlcroissant
import numpy as np
import polars as pl
import pytest

from conftest import ROOT
from trml.base.artifacts import SUMS, read_json, write_json, write_sums
from trml.base.digests import file_digest
from trml.corpora.contract import CorpusInfo, write_corpus
from trml.corpora.registry import shipped
from trml.features.contract import MEDIA_SCHEMA
from trml.planning.bibliography import origin_of
from trml.report.card import Card
from trml.report.contract import Origin
from trml.report.croissant import write_croissant

NAME = "corpus.croissant.json"


def features_of(corpus, folder):
    """A feature folder of a corpus, as far as a card reads it."""
    folder.mkdir()
    pl.DataFrame(schema=MEDIA_SCHEMA).write_parquet(folder / "media.parquet")
    write_json(folder / "features.json", {"modalities": ["text", "vision"]})
    pl.read_parquet(corpus / "utterances.parquet").select("utterance_id").write_parquet(folder / "index.parquet")
    return folder


def described(folder, tmp_path, origin):
    """Write the description of a corpus into its folder, where it can be loaded; return it."""
    write_sums(folder)
    card = Card.read(folder, features_of(folder, tmp_path / "features"))
    write_croissant(card, folder, origin, folder / NAME)
    return read_json(folder / NAME)


@pytest.fixture
def pantomime(corpus, params, tmp_path):
    """A small pantomime with its description."""
    folder = tmp_path / "pantomime"
    shutil.copytree(corpus, folder)
    write_json(folder / "corpus.json", {**read_json(folder / "corpus.json"), "digest": "pantomime-0123456789ab"})
    return folder, described(folder, tmp_path, origin_of(params.corpus))


def loaded(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = mlcroissant.Dataset(jsonld=folder / NAME)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors and not issues.warnings, issues.report()
    return dataset


def test_the_records_of_pantomime_are_read_through_mlcroissant(pantomime):
    folder, _ = pantomime
    dataset = loaded(folder)
    tables = {path.stem for path in folder.glob("*.parquet")}
    assert tables == {each.name for each in dataset.metadata.record_sets} >= {"utterances", "factors", "oracle"}
    for table in sorted(tables):
        rows, records = pl.read_parquet(folder / f"{table}.parquet"), list(dataset.records(table))
        assert len(records) == rows.height
        for column in rows.columns:
            found = [record[f"{table}/{column}"] for record in records]
            wanted = [each.encode() if isinstance(each, str) else each for each in rows[column].to_list()]
            if rows[column].dtype.is_float():
                np.testing.assert_array_equal(np.array(found, dtype=np.float64), wanted)
            else:
                assert found == wanted, (table, column)


def test_every_file_of_the_folder_is_described_with_its_checksum(pantomime):
    folder, made = pantomime
    files = {each["contentUrl"]: each["sha256"] for each in made["distribution"] if each["@type"] == "cr:FileObject"}
    assert files == {name: file_digest(folder / name) for name in files}
    (media,) = [each for each in made["distribution"] if each["@type"] == "cr:FileSet"]
    listed = [line.partition("  ")[2] for line in (folder / SUMS).read_text().splitlines()]
    assert {*files, *(str(path.relative_to(folder)) for path in folder.glob(media["includes"]))} == {*listed, SUMS}


def test_types_and_responsible_ai_fields(pantomime):
    _, made = pantomime
    fields = {each["@id"]: each for table in made["recordSet"] for each in table["field"]}
    assert fields["utterances/label"]["dataType"] == "cr:Float32"
    assert fields["utterances/split"]["dataType"] == ["sc:Text", "cr:Split"]
    assert fields["factors/frame_readings"]["isArray"] and fields["factors/frame_readings"]["dataType"] == "cr:Int64"
    assert "shows in text and vision" in fields["factors/shared"]["description"]
    assert not [each for each in fields.values() if each["description"].startswith("The column ")]
    assert made["rai:personalSensitiveInformation"] == ["None: speakers, faces and sentences are generated."]
    assert "no clip: 0.0% (0) of train" in made["rai:dataCollectionMissingData"]
    assert made["license"][0] == "https://spdx.org/licenses/MIT.html"
    assert made["version"] == "0.1.0+0123456789ab"


def test_equal_corpora_have_equal_bytes(pantomime, params):
    folder, _ = pantomime
    before = (folder / NAME).read_bytes()
    write_croissant(Card.read(folder, folder.parent / "features"), folder, origin_of(params.corpus), folder / NAME)
    assert (folder / NAME).read_bytes() == before


@pytest.mark.parametrize("classes", [[], ["bad", "good"]])
def test_a_corpus_with_terms_is_described_and_not_handed_on(classes, tmp_path):
    config = shipped(ROOT / "config")["meld"]
    n = 30
    rows = {
        "utterance_id": [f"u{i}" for i in range(n)],
        "video_id": [f"v{i // 2}" for i in range(n)],
        "split": ["train"] * 10 + ["valid"] * 10 + ["test"] * 10,
        "text": ["words"] * n,
        "clip": [f"MELD.Raw/{i}.mp4" if i else None for i in range(n)],
        "start_s": [0.0] * n,
        "end_s": [1.0] * n,
        "label": [i % 2 for i in range(n)],
    }
    task = "classification" if classes else "regression"
    info = CorpusInfo(
        "meld", "MELD", task, classes, "MELD (Poria et al.)", config.licence, "raw", [], "meld-0123456789ab"
    )
    folder = tmp_path / "meld"
    folder.mkdir()
    write_corpus(folder, info, pl.DataFrame(rows), [("u31", "no label")])
    made = described(folder, tmp_path, origin_of(config))
    assert len(list(loaded(folder).records("utterances"))) == n
    assert made["conditionsOfAccess"] == config.terms.text and made["url"] == config.terms.url
    assert made["license"] == [config.licence] and made["datePublished"] == "2019"
    assert made["creator"][0] == {"@type": "sc:Person", "name": "Soujanya Poria"}
    assert "poria2019meld" in made["citeAs"] and "handed on" in made["description"]
    assert not any("mp4" in each["@id"] for each in made["distribution"])
    assert "1 raw items are in no utterance" in made["rai:dataLimitations"][1]
    label = next(each for each in made["recordSet"][-1]["field"] if each["name"] == "label")
    assert label["description"] == ("The class: 0 bad, 1 good." if classes else "Sentiment, from -3 to 3.")


def test_a_corpus_without_a_publication_is_valid(corpus, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(corpus, folder)
    made = described(folder, tmp_path, Origin())
    assert not {"citeAs", "creator", "datePublished", "url"} & made.keys()
    mlcroissant.Dataset(jsonld=folder / NAME)  # warns of what is recommended, and raises where something is wrong


def test_the_context_is_that_of_mlcroissant():
    """A context that its checker calls non-standard would be read otherwise by others."""
    from mlcroissant._src.core.context import Context
    from mlcroissant._src.core.rdf import make_context

    own = json.loads((ROOT / "src/trml/report/croissant_context.json").read_text())
    assert own == make_context(Context(conforms_to="http://mlcommons.org/croissant/1.1"))


def test_other_terms_are_another_origin():
    """The origin is in the recipe of the results (tests/unit/test_plan.py): other bytes have another name."""
    config = shipped(ROOT / "config")["meld"]
    other = replace(config, terms=replace(config.terms, text="Other terms."))
    assert origin_of(config) != origin_of(other)
