"""Raw layouts from somebody else: texts that state any size, links out of the folder, tables that say two things."""

import pytest

from helpers.raw_builds import (
    built,
    config_of,
    dev_of_one,
    edited,
    overwritten,
    refused,
)
from trml.base.errors import ContractError


def huge(name):
    """Damage that makes a file of 100 GiB that takes no disk."""

    def damage(folder, made):
        with next(folder.rglob(name)).open("wb") as file:
            file.truncate(100 << 30)

    return damage


def linked_out(name):
    """Damage that moves a file or folder out of the corpus's folder, and leaves a link to it."""

    def damage(folder, made):
        path = next(folder.rglob(name))
        path.rename(folder.parent / "elsewhere")
        path.symlink_to(folder.parent / "elsewhere")

    return damage


LONG = f'1,{"a" * 140_000},X,joy,{"b" * 10**5},0,0,1,1,"0:00:01,5","0:00:02,5"'

REFUSED = [
    ("meld", edited("dev_sent_emo.csv", ("Speaker", "Utterance")), "line 1: column 'Utterance' is listed twice"),
    ("meld", dev_of_one('1,"hi,X,joy,positive,0,0,1,1,"0:00:01,5","0:00:02,5"'), "line 2: .* expected double quotes"),
    ("meld", dev_of_one("1,h\0i,X,joy,positive,0,0,1,1,0,0"), "dev_sent_emo.csv line 2: it holds a NUL byte"),
    ("meld", dev_of_one(LONG), "row 1: Sentiment is 'bbb[b]+…; expected one of"),
    ("meld", huge("dev_sent_emo.csv"), "dev_sent_emo.csv has 107,374 MB; expected at most 268 MB of text"),
    ("cmu_mosi", huge("*.annotprocessed"), ".annotprocessed has 107,374 MB; expected at most 268 MB of text"),
    ("mvsa_single", huge("1.txt"), "1.txt has 107,374 MB; expected at most 268 MB of text"),
    ("mvsa_single", huge("labelResultAll.txt"), "labelResultAll.txt has 107,374 MB; expected at most 268 MB of text"),
    ("mvsa_single", overwritten("1.txt", "fine".encode("utf-16")), "1.txt is UTF-16; expected UTF-8"),
    ("mvsa_single", overwritten("1.txt", "fine".encode("utf-16-le")), "1.txt line 1: it holds a NUL byte"),
    ("mvsa_single", edited("labelResultAll.txt", ("\n2\t", "\n٢\t")), "line 3: .*expected a number and"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "damage", "words"), REFUSED)
def test_hostile_files_are_named(kind, damage, words, copy):
    words_of_damage = refused(*copy(kind), kind, damage, words)
    assert len(words_of_damage) < 1000


LINKED = [
    ("cmu_mosi", "*.csd"),
    ("cmu_mosi", "*.annotprocessed"),
    ("cmu_mosi", "*.mp4"),
    ("cmu_mosi", "Transcript"),
    ("meld", "dev_sent_emo.csv"),
    ("meld", "dia0_utt0.mp4"),
    ("mvsa_single", "1.txt"),
    ("mvsa_single", "1.jpg"),
    ("mvsa_single", "labelResultAll.txt"),
    ("mvsa_single", "data"),
]


@pytest.mark.parametrize(("kind", "name"), LINKED)
def test_a_link_out_of_a_corpus_is_refused(kind, name, copy):
    data, folder, made = copy(kind)
    linked_out(name)(folder, made)
    for ask in (lambda: config_of(kind).raw_files(data), lambda: built(config_of(kind), data)):
        with pytest.raises(ContractError, match=f"is a link out of {folder}, which is not followed. Copy it there"):
            ask()


@pytest.mark.parametrize("kind", ["cmu_mosi", "mvsa_single"])
def test_the_folder_of_a_corpus_and_those_above_it_may_be_links(kind, copy):
    data, folder, made = copy(kind)
    (data / "disk").mkdir()
    folder.rename(data / "disk/kept")
    folder.symlink_to(data / "disk/kept")
    first = next(path for path in folder.rglob("*") if path.suffix in (".annotprocessed", ".txt"))
    first.rename(folder / "moved")
    first.symlink_to(folder / "moved")  # within the folder
    (data / "above").symlink_to(data)
    assert built(config_of(kind), data / "above")[1].height == made.height
