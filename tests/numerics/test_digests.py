"""What an edit renames: every source file in turn against a table of folders, and values that must not slip through.

An edit is made in process: the digest of one module's syntax tree is replaced, as if a line had been added to it. One
test edits a copy of the package on disk, to hold that both ways agree.
"""

# long because: most of it is the table of modules and of what an edit of each renames

import copy
import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from helpers.extension import extension
from trml.config.compose import compose
from trml.config.load import check
from trml.planning import recipes, source_digest
from trml.planning.plan import plans

SOURCE = ROOT / "src/trml"
STAGES = ("corpus", "encoder", "features", "cells", "probes", "evaluation", "results")

# Module or package -> the first stage that an edit renames on pantomime through tiny_clip; every later stage follows.
# The longest entry that fits a module counts. None: nothing is renamed.
DEFAULT = {
    "": None,
    "base": None,
    "config": None,
    "planning": None,
    "api": None,
    "cli": None,
    "device": "encoder",
    "seeding": "corpus",
    "missing": "cells",
    "missing.__init__": "corpus",
    "missing.modalities": "corpus",
    # Pantomime knows its ceiling at each rate of lost frames.
    "missing.pattern": "corpus",
    "missing.steps": "corpus",
    "missing.protocol": None,
    # No training misses these, and no cell is predicted under them.
    **dict.fromkeys(("missing.patterns.mostly", "missing.patterns.random_modality"), None),
    "sources": None,
    "sources.__init__": "corpus",
    "sources.formats.__init__": "corpus",
    "sources.formats.video_writer": "corpus",
    "sources.formats.video_reader": "encoder",
    "sources.formats.media_fragment": "encoder",
    "sources.formats.open_media": "encoder",
    "sources.formats.numbers": "encoder",
    # Submitted predictions are read from parquet or csv.
    **dict.fromkeys(("sources.formats.parquet", "sources.formats.csv_rows", "sources.formats.texts"), "probes"),
    "sources.formats.limits": "probes",
    "corpora": None,
    "corpora.__init__": "corpus",
    "corpora.contract": "corpus",
    "corpora.common.__init__": "corpus",
    "corpora.common.config": "corpus",
    "corpora.pantomime": "corpus",
    "corpora.statistics": "results",
    "features": "features",
    "features.__init__": "encoder",
    "features.given": None,
    "features.encoders": None,
    "features.encoders.__init__": "encoder",
    "features.encoders.registry": "features",
    "features.encoders.config": "encoder",
    "features.encoders.contract": "encoder",
    "features.encoders.tiny_clip": "encoder",
    "features.encoders.common": "encoder",
    "features.encoders.common.from_hub": None,
    "features.encoders.common.separate": None,
    "features.encoders.common.transformers": None,
    "features.encoders.common.vocabulary": None,
    "methods": "cells",
    "methods.config": "probes",
    "training": "cells",
    "training.config": None,
    "training.model_folder": None,
    "training.reference": None,
    "training.selection": None,
    "training.worker": None,
    "training.again": "probes",
    "training.applied": None,
    "training.virtual": "probes",
    "evaluation": "evaluation",
    "evaluation.__init__": "probes",
    "evaluation.config": "probes",
    "evaluation.contract": "probes",
    "evaluation.brought": None,
    "evaluation.brought_table": None,
    "evaluation.foreign_table": "probes",
    "evaluation.foreseen": None,
    "evaluation.metrics": "probes",
    "evaluation.predictions": "probes",
    "evaluation.probing": "probes",
    "evaluation.references": "probes",
    "training.store": "probes",
    "evaluation.registry": "probes",
    "evaluation.schemas": "probes",
    "evaluation.statistics": "probes",
    "evaluation.submissions": "probes",
    "report": "results",
    "report.compare": None,
    "report.config": None,
    "report.crate": None,
    "report.headline": None,
    "report.model_card": None,
    "report.page.comparison": None,
    "report.result_files": None,
    "report.publish": None,
    "report.published": None,
    "report.show": None,
    "report.trace": None,
    "report.verify": None,
}

# On CMU-MOSI, which brings its features: no encoder is trained, pantomime does not count, and mm_align is not run.
GIVEN = {
    **{module: stage for module, stage in DEFAULT.items() if not module.startswith(("sources.", "features."))},
    "sources.__init__": "corpus",
    "sources.formats.__init__": "corpus",
    "sources.formats.media_fragment": "probes",
    "sources.formats.open_media": "probes",
    "sources.formats.parquet": "probes",
    **dict.fromkeys(("sources.formats.npz", "sources.formats.limits"), "corpus"),
    **dict.fromkeys(("sources.formats.csv_text", "sources.formats.csv_rows", "sources.formats.texts"), "corpus"),
    "sources.formats.numbers": "corpus",
    "missing.patterns.random_modality": "cells",
    "sources.formats.video_reader": "probes",
    "corpora.pantomime": None,
    "device": "cells",
    **dict.fromkeys(("missing.pattern", "missing.steps"), "cells"),
    "corpora.mosi_features": "corpus",
    "features": None,
    "features.__init__": "features",
    "features.contract": "features",
    "features.given": "features",
    "features.writer": "features",
    "features.encoders.__init__": "features",
    "features.encoders.given": "features",
    "features.encoders.common.__init__": "features",
    "features.encoders.common.config": "features",
    "methods.mm_align": None,
    "methods.layers.alignment": None,
    "methods.losses.transport": None,
}

METHODS = {
    "methods.trml": {"trml"},
    "methods.zero_fill": {"zero_fill", "supervised_double"},
    "methods.losses.matching": {"trml"},
    "methods.losses.transport": {"mm_align"},
    "methods.layers.centroids": {"smil"},
    "methods.layers.generators": {"trml", "supervised_single", "supervised_single_matched"},
}


def modules():
    """The modules of the package without its name; a package is named by its `__init__`."""
    paths = (path.relative_to(SOURCE).with_suffix("") for path in sorted(SOURCE.rglob("*.py")))
    return [".".join(path.parts) for path in paths]


def expected(table, module):
    """The entry of the longest prefix."""
    parts = module.split(".")
    prefixes = [".".join(parts[:i]) for i in range(len(parts), -1, -1)]
    return next(table[prefix] for prefix in prefixes if prefix in table)


def python_name(module):
    return f"trml.{module}".removesuffix(".__init__")


def names(params):
    """The names of the own dataset's folders by stage; of cells, by method."""
    plan = plans(params)[0]
    folders = {stage: getattr(plan, stage) for stage in STAGES if stage != "cells"}
    cells = {}
    for cell in plan.cells:
        cells.setdefault(cell.spec.method, []).append(cell.digest)
    return {**{stage: folder.name for stage, folder in folders.items() if folder}, "cells": cells}


def renamed(before, after):
    return {stage for stage in before if before[stage] != after[stage]}


def downstream(stage, stages):
    return set() if stage is None else {each for each in STAGES[STAGES.index(stage) :] if each in stages}


@pytest.fixture
def edit(monkeypatch):
    """A function that edits a module, named without the package; the next call takes the edit back."""
    original = source_digest.normal_form

    def edit(module):
        edited = python_name(module)
        recipes.source_of_cells.cache_clear()
        monkeypatch.setattr(source_digest, "normal_form", lambda name: original(name) + "edited" * (name == edited))

    yield edit
    recipes.source_of_cells.cache_clear()


def small(*overrides):
    """A composition with one seed, no sweeps and no regimes: what an edit renames does not depend on how many cells
    there are."""
    few = ["protocol.seeds=[2020]", "studies=false", *overrides]
    return dataclasses.replace(check(yaml.safe_load(compose(few, ROOT / "config"))), datasets={})


@pytest.fixture
def given(tmp_path):
    """The experiment on CMU-MOSI, on files of any content: planning reads their checksums alone."""
    (tmp_path / "mosi").mkdir()
    for name in ("mosi_utterances.csv", "mosi_features.npz"):
        (tmp_path / "mosi" / name).write_bytes(b"any")
    return small("experiment=mosi", f"data='{tmp_path}'")


def wrong(params, table, edit):
    """The modules whose edit renames something else than the table says: module -> (renamed, expected)."""
    before, differing = names(params), {}
    for module in modules():
        edit(module)
        found, wanted = renamed(before, names(params)), downstream(expected(table, module), before)
        if found != wanted:
            differing[module] = (sorted(found), sorted(wanted))
    return differing


def test_an_edit_of_any_file_renames_what_the_table_says(edit):
    assert wrong(small(), DEFAULT, edit) == {}


def test_an_edit_of_any_file_renames_what_the_table_says_where_a_corpus_brings_features(edit, given):
    assert wrong(given, GIVEN, edit) == {}


@pytest.mark.parametrize(
    ("module", "is_in_it"),
    [
        ("evaluation.references", True),
        ("evaluation.metrics.regression", True),
        ("missing.labels", True),
        ("features.contract", True),
        ("methods.trml", False),
        ("evaluation.statistics", False),
    ],
)
def test_references_have_recipes_of_their_own_source_and_features(edit, module, is_in_it):
    before = plans(small())[0].references
    edit(module)
    assert (plans(small())[0].references != before) == is_in_it


def test_every_entry_of_the_tables_names_a_module():
    known = {".".join(m.split(".")[:i]) for m in modules() for i in range(1, m.count(".") + 2)} | {""}
    optional = {"features.encoders.config", "evaluation.config"}
    assert (DEFAULT.keys() | GIVEN.keys()) - known - optional == set()


@pytest.mark.parametrize("module", METHODS)
def test_an_edit_of_a_method_renames_the_cells_that_use_it(edit, module):
    params = small()
    before = names(params)["cells"]
    edit(module)
    after = names(params)["cells"]
    assert {method for method in before if before[method] != after[method]} == METHODS[module]


PATTERNS = {
    "missing.patterns.modality": {"vision", "text"},
    "missing.patterns.random_modality": {"random_modality"},
    "missing.patterns.mostly": {"mostly_text"},
    # Whatever is trained on complete data is predicted under lost steps.
    "missing.patterns.frames": {None, "frames"},
    "missing.patterns.stretch": {None},
}


@pytest.mark.parametrize("module", PATTERNS)
def test_an_edit_of_a_pattern_renames_the_cells_that_run_it(edit, module):
    params = small("protocol.victims=[vision,text,random_modality,mostly_text,frames]")
    before = [(cell.spec.missing, cell.digest) for cell in plans(params)[0].cells]
    edit(module)
    after = [cell.digest for cell in plans(params)[0].cells]
    moved = {(missing, old != new) for (missing, old), new in zip(before, after, strict=True)}
    assert {missing for missing, is_moved in moved if is_moved} == PATTERNS[module]
    assert {missing for missing, is_moved in moved if not is_moved}.isdisjoint(PATTERNS[module])


SELDOM = """
from trml.missing.pattern import Missing

def patterns(modalities):
    lost = (frozenset({"vision"}), frozenset({"text"}))
    return [Missing("seldom_text", "seldom text missing", "", lost, chances=(0.9, 0.1))]
"""


def test_a_pattern_that_nothing_asks_for_renames_nothing(tmp_path):
    params, named = small(), "protocol.victims=[vision,text,seldom_text]"
    before = names(params)
    with extension(tmp_path, {"missing/patterns/seldom.py": SELDOM}):
        assert names(params) == before
        asked = names(small(named))
    assert renamed(before, asked) == {"cells", "probes", "evaluation", "results"}
    new = {cell for cells in asked["cells"].values() for cell in cells}
    assert {cell for cells in before["cells"].values() for cell in cells} < new


@pytest.mark.parametrize("encoder", ["tiny_separate", "open_clip"])
def test_an_edit_of_one_encoder_renames_the_things_of_that_encoder_alone(edit, encoder, raw):
    own = copy.deepcopy(raw)
    raw["encoder"] = yaml.safe_load(compose([f"encoder={encoder}"], ROOT / "config"))["encoder"]
    other = check(raw)
    before = names(check(own)), names(other)
    edit(f"features.encoders.{encoder}.encoder")
    after = names(check(own)), names(other)
    assert renamed(before[0], after[0]) == set()
    first = "encoder" if "encoder" in before[1] else "features"
    assert renamed(before[1], after[1]) >= downstream("features", before[1])
    assert renamed(before[1], after[1]) <= downstream(first, before[1])


def test_what_a_scan_finds_is_a_root_by_the_same_scan(edit):
    params = small()
    before = names(params)
    for folder, stage in [
        ("evaluation/claims", "evaluation"),
        ("evaluation/metrics", "evaluation"),
        ("report/tables", "results"),
        ("report/figures", "results"),
    ]:
        for path in (SOURCE / folder).glob("[!_]*.py"):
            edit(f"{folder.replace('/', '.')}.{path.stem}")
            assert stage in renamed(before, names(params)), path


def test_a_method_outside_the_package_is_followed_through_its_imports(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "outside_helper.py").write_text("SCALE = 1.0\n")
    (tmp_path / "outside_method.py").write_text(
        "from trml.methods.zero_fill import ZeroFill\nfrom outside_helper import SCALE\n\n\n"
        "class Outside(ZeroFill):\n    def __init__(self, shape, *, hidden: int):\n"
        "        super().__init__(shape, hidden=hidden, drop=0.1 * SCALE)\n"
    )
    assert {"outside_method", "outside_helper", "trml.methods.zero_fill"} <= source_digest.closure(("outside_method",))
    assert not {"torch", "numpy", "dataclasses"} & source_digest.closure(("outside_method", "trml.training.trainer"))


PROGRAM = """
import json
from trml.config.load import load
from trml.planning.plan import plans
plan = plans(load("params.yaml"))[0]
folders = {stage: getattr(plan, stage).name for stage in STAGES if stage != "cells"}
print(json.dumps({**folders, "cells": [cell.name for cell in plan.cells]}))
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the source, and a function that returns its names after an edit on disk."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "params.yaml", tmp_path)

    def ask():
        environment = {"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-c", f"STAGES = {STAGES}{PROGRAM}"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return tmp_path / "src/trml", ask


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_editing_comments_docstrings_and_layout_renames_nothing(checkout):
    source, ask = checkout
    before = ask()
    for path in source.rglob("*.py"):
        path.write_text("# a comment\n" + path.read_text())
    replace(source / "methods/losses/matching.py", '"""', '"""Another docstring. ')
    replace(source / "training/optimizer.py", "(", "(\n    ")
    assert renamed(before, ask()) == set()


@pytest.mark.parametrize(
    ("module", "old", "new", "first"),
    [
        # The rates of lost frames decide what a cell is predicted under, and what ceilings a generated corpus knows.
        ("missing/steps.py", "0.7, 0.9)", "0.7, 0.8)", "corpus"),
        ("base/digests.py", "[:12]", "[:12].lower()", None),
        (
            "corpora/contract.py",
            'ContractError(f"corpus ',
            'ContractError(f"the corpus ',
            None,
        ),  # the words of an error
        ("training/schedule.py", "0.5 * (1", "0.4 * (1", "cells"),
        ("corpora/pantomime/face.py", "4.0 * brow", "5.0 * brow", "corpus"),
    ],
)
def test_an_edit_on_disk_renames_what_an_edit_in_process_does(checkout, module, old, new, first):
    source, ask = checkout
    before = ask()
    replace(source / module, old, new)
    assert renamed(before, ask()) == downstream(first, before)


def test_an_unused_function_in_one_encoder_renames_nothing_of_another(checkout):
    source, ask = checkout
    before = ask()
    for path in (source / "features/encoders").glob("*/encoder.py"):
        if path.parent.name != "tiny_clip":
            path.write_text(path.read_text() + "\n\ndef unused() -> int:\n    return 1\n")
    assert renamed(before, ask()) == set()
    path = source / "features/encoders/tiny_clip/encoder.py"
    path.write_text(path.read_text() + "\n\ndef unused() -> int:\n    return 1\n")
    assert "cells" in renamed(before, ask())
