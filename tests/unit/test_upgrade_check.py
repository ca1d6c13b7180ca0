"""The upgrade check: what it upgrades to, whom it blames, and what it prints. Nothing is installed."""

import pytest

from upgrade_check import INDIRECT, Unresolved, alone, bound, direct, failures, judge, pins_of, table

PINNED = {"numpy": "2.4.6", "ruff": "0.17.5", "torch": "2.13.0", "polars": "2.1.0"}
LOCKED = {**PINNED, "tqdm": "4.0.0"}
NEWEST = {**PINNED, "numpy": "2.5.0", "polars": "2.2.0", "tqdm": "4.1.0"}


@pytest.mark.parametrize(
    ("name", "pinned", "expected"),
    [
        ("numpy", "2.4.6", "numpy>=2.4.6,<3"),
        ("ruff", "0.17.5", "ruff>=0.17.5,<0.18"),
        ("pot", "0.9.7.post1", "pot>=0.9.7.post1,<0.10"),
        ("formatter", "3", "formatter>=3,<4"),
        ("torch", "2.13.0", "torch==2.13.0"),
        ("torchvision", "0.28.0", "torchvision==0.28.0"),
    ],
)
def test_an_upgrade_stays_within_the_major_version_and_torch_stays(name, pinned, expected):
    assert bound(name, pinned) == expected


def test_pins_are_read_with_comments_labels_and_other_spellings():
    lines = ["# a==1", "Ruamel.Yaml==0.19.1", "torch==2.13.0+cpu", "av==18.1.0  # why", "-e /somewhere", ""]
    assert pins_of(lines) == {"ruamel-yaml": "0.19.1", "torch": "2.13.0", "av": "18.1.0"}


def test_every_direct_dependency_is_tried():
    assert {"polars", "torch", "open-clip-torch", "pytest", "hypothesis"} <= set(direct())


def test_an_upgrade_alone_leaves_no_choice():
    exact = ["numpy==2.5.0", "ruff==0.17.5", "torch==2.13.0", "polars==2.1.0"]
    assert alone("numpy", PINNED, NEWEST) == exact
    assert alone(INDIRECT, PINNED, NEWEST) == ["numpy==2.4.6", *exact[1:]]


def resolve(name):
    return LOCKED | ({"tqdm": "4.1.0"} if name == INDIRECT else {name: NEWEST[name]})


def blamed(culprits):
    """Judge where tests fail exactly with these versions."""
    tried = []

    def trial(versions):
        tried.append(versions)
        return [f"tests/x.py::{n}" for n, v in culprits.items() if versions[n] == v]

    return judge(PINNED, NEWEST, LOCKED, resolve, trial), tried


def test_if_all_pass_together_nothing_is_tried_alone():
    judged, tried = blamed({})
    assert judged == {"numpy": [], "polars": [], INDIRECT: []}
    assert tried == [NEWEST]


def test_the_one_that_fails_alone_is_blamed():
    judged, tried = blamed({"polars": "2.2.0"})
    assert judged == {"numpy": None, "polars": ["tests/x.py::polars"], INDIRECT: None}
    assert tried == [NEWEST, resolve("numpy"), resolve("polars"), resolve(INDIRECT)]


def test_what_they_pull_in_is_blamed_as_one():
    assert blamed({"tqdm": "4.1.0"})[0] == {"numpy": None, "polars": None, INDIRECT: ["tests/x.py::tqdm"]}


def test_what_cannot_be_resolved_alone_is_said():
    def refuse(name):
        raise Unresolved("not tried alone: that needs uv")

    judged = judge(PINNED, NEWEST, LOCKED, refuse, lambda versions: ["tests/x.py::y"])
    assert judged["numpy"] == ["not tried alone: that needs uv"]


def test_nothing_newer_is_nothing_to_try():
    assert judge(PINNED, LOCKED, LOCKED, resolve, lambda versions: pytest.fail("tried")) == {}


def test_the_table_names_every_direct_dependency():
    judged = {"numpy": None, "polars": ["tests/x.py::y", "tests/x.py::z"], INDIRECT: []}
    assert table(PINNED, NEWEST, judged).splitlines() == [
        "package     pinned  newest  result",
        "numpy       2.4.6   2.5.0   passes alone, not with the others",
        "polars      2.1.0   2.2.0   fails: tests/x.py::y and 1 more",
        "ruff        0.17.5  0.17.5  same",
        "torch       2.13.0  2.13.0  held",
        "(indirect)                  passes",
    ]


def test_a_run_of_tests_that_breaks_off_is_a_failure():
    assert failures("FAILED tests/x.py::y - boom\nERROR tests/z.py\n1 failed", 1) == ["tests/x.py::y", "tests/z.py"]
    assert failures("", 4) == ["pytest ended with code 4"]
    assert failures("3 passed", 0) == []
