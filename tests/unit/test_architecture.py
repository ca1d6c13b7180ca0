"""The architecture holds: layers, doors, no torch, independence, no circle, and the size of files and functions.

Components are found by the scan that the package uses, so that a new one is held to the same rules.
"""

import ast
import re
import subprocess
import sys
from functools import cache
from itertools import permutations
from pathlib import Path

import grimp
import networkx
import pytest

from conftest import ROOT
from package_map import END, PAGE, START, listed, package_map
from trml.base.modules import components

SOURCE = ROOT / "src/trml"
LONGEST_FILE, LONGEST_FUNCTION = 350, 60
REASON = "# long because: "

# Each is entered from outside through `contract`, `config` and `registry` alone.
STAGES = ("corpora", "features", "methods", "training", "evaluation", "report")
DOORS = ("contract", "config", "registry")
# Beside its doors: the counts of a corpus, the one loss that training itself computes, the cell store, the
# files of published results, and for the probes trained cells run again and their virtual vectors.
ALSO_OPEN = {
    "trml.corpora.statistics",
    "trml.methods.losses.task",
    "trml.report.result_files",
    "trml.training.again",
    "trml.training.store",
    "trml.training.virtual",
}
# What a stage does. Only api and cli call these, and the workflow publishes.
VERBS = {
    "trml.corpora.checking.batch",
    "trml.corpora.checking.check",
    "trml.features.chunk",
    "trml.features.encode",
    "trml.features.gather",
    "trml.features.given",
    "trml.training.worker",
    "trml.training.selection",
    "trml.evaluation.brought",
    "trml.evaluation.evaluate",
    "trml.evaluation.references",
    "trml.evaluation.foreseen",
    "trml.evaluation.submissions",
    "trml.evaluation.probing.probe",
    "trml.report.build",
    "trml.report.compare",
    "trml.report.headline",
    "trml.report.page.comparison",
    "trml.report.published",
    "trml.report.result_files",
    "trml.report.show",
    "trml.report.verify",
    "trml.report.trace",
    "trml.report.publish",
    "trml.report.model_card",
    "trml.training.applied",
    "trml.training.data",
    "trml.training.model_folder",
}
PUBLISHING = ("trml.planning.workflow", "trml.report.publish")

# Folders of components: a module each, or a package with this module.
KINDS = [
    ("corpora", "config"),
    ("features.encoders", "config"),
    ("evaluation.claims", None),
    ("evaluation.metrics", None),
    ("missing.patterns", None),
    ("report.tables", None),
    ("report.figures", None),
]
HEAVY = ("torch", "torchvision", "open_clip", "transformers", "timm")
TORCH_FREE = ("base", "seeding", "missing", "sources", "corpora", "evaluation", "report", "config", "planning")
WITH_TORCH = {"trml.methods.contract", "trml.features.encoders.contract"}


@cache
def graph() -> grimp.ImportGraph:
    """Every import of the package: in functions, and for types alone, too."""
    return grimp.build_graph("trml", include_external_packages=True, cache_dir=None)


def modules() -> list[str]:
    return sorted(m for m in graph().modules if m.split(".")[0] == "trml")


def imports() -> list[tuple[str, str]]:
    return [(m, n) for m in modules() for n in sorted(graph().find_modules_directly_imported_by(m))]


def at(importer: str, imported: str) -> str:
    line = graph().get_import_details(importer=importer, imported=imported)[0]["line_number"]
    return f"{importer}:{line} imports {imported}"


def test_layers():
    """In a process of its own: what other tests load was seen to close the output that it prints to."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_packages_are_listed_in_the_order_of_the_layers():
    folders = {p.parent.name for p in SOURCE.glob("*/__init__.py")} | {p.stem for p in SOURCE.glob("[a-z]*.py")}
    assert set(listed()) == folders
    place = {name: i for i, name in enumerate(listed())}
    up = [at(m, n) for m, n in imports() if package(n) in place and place[package(m) or "cli"] < place[package(n)]]
    assert not up, "\n".join(up)


def package(module: str) -> str:
    """The package of trml that a module is of; empty for what is above or outside them."""
    top, *rest = module.split(".")
    return rest[0] if top == "trml" and rest and rest[0] in listed() else ""


def test_stages_are_entered_through_their_doors():
    trespass = [
        at(m, n)
        for m, n in imports()
        if package(n) in STAGES
        and package(m) != package(n)
        and not is_door(n)
        and not (package(m) in ("api", "cli") and n in VERBS)
        and (m, n) != PUBLISHING
    ]
    assert not trespass, "\n".join(trespass)


def is_door(module: str) -> bool:
    """Whether it is the door of a stage or of the encoders, not the config of one corpus or encoder."""
    _, stage, *rest = module.split(".")
    if stage == "features" and rest[:1] == ["encoders"]:
        rest = rest[1:]
    return module in ALSO_OPEN or (len(rest) == 1 and rest[0] in DOORS)


@pytest.mark.parametrize("stage", TORCH_FREE)
def test_no_torch(stage):
    chosen = [m for m in modules() if package(m) == stage and not m.startswith("trml.evaluation.probing.")]
    assert chosen
    found = torch_chains(chosen)
    assert not found, "\n".join(found)


def test_no_torch_behind_a_door():
    doors = [m for m in modules() if m.rpartition(".")[2] in DOORS and m not in WITH_TORCH]
    assert len(doors) >= 20
    found = torch_chains(doors)
    assert not found, "\n".join(found)


def torch_chains(chosen: list[str]) -> list[str]:
    heavy = [h for h in HEAVY if h in graph().modules]
    chains = (graph().find_shortest_chain(m, h) for m in chosen for h in heavy)
    return [" -> ".join(chain) for chain in chains if chain]


def parts(kind: str, file: str | None) -> list[str]:
    """The components of a kind: each a module, or a package where `file` names one of its modules."""
    own = [m for m in components(kind, file).values() if m.startswith("trml.")]
    return [m.rpartition(".")[0] if file else m for m in own]


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize(("kind", "file"), KINDS)
def test_components_do_not_know_each_other(kind, file):
    found = parts(kind, file)
    assert len(found) >= 2
    known = [
        at(m, n) for m, n in imports() for one, other in permutations(found, 2) if within(m, one) and within(n, other)
    ]
    assert not known, "\n".join(known)


def test_a_registry_imports_no_component():
    every = [part for kind, file in KINDS for part in parts(kind, file)]
    known = [at(m, n) for m, n in imports() if m.endswith(".registry") and any(within(n, part) for part in every)]
    assert not known, "\n".join(known)


def test_no_circle():
    arrows = networkx.DiGraph((m, n) for m, n in imports() if n.split(".")[0] == "trml")
    circles = [" <-> ".join(sorted(c)) for c in networkx.strongly_connected_components(arrows) if len(c) > 1]
    assert not circles, "\n".join(circles)


def python_files() -> list[Path]:
    return [f for folder in ("src", "benchmarks", "tools", "tests") for f in sorted((ROOT / folder).rglob("*.py"))]


def test_long_files_say_why():
    lengths = {file.relative_to(ROOT): len(file.read_text().splitlines()) for file in python_files()}
    silent = [
        f"{file} has {length} lines and no line `{REASON}...`"
        for file, length in lengths.items()
        if length > LONGEST_FILE and not re.search(f"^{REASON}.", (ROOT / file).read_text(), re.MULTILINE)
    ]
    assert not silent, "\n".join(silent)


def test_no_long_function():
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name} has {length} lines"
        for file in python_files()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and (length := node.end_lineno - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long, "\n".join(long)


def test_unit_tests_start_no_process_and_train_nothing():
    slow = re.compile(r"subprocess\.(run|Popen)\b|os\.fork\b|from trml\.training\.(trainer|reference) import")
    files = [file for file in sorted((ROOT / "tests/unit").glob("*.py")) if file.name != Path(__file__).name]
    found = [f"{file.name}: {match[0]}" for file in files if (match := slow.search(file.read_text()))]
    assert not found, "move to tests/numerics:\n" + "\n".join(found)


def test_the_map_is_current():
    page = PAGE.read_text().partition(START)[2].partition(END)[0].strip()
    assert page == package_map(), "run `make docs`"
