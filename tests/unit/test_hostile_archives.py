"""Archives that are crafted: nothing in them is passed over in silence, and reading them takes little memory."""

import io
import struct
import tarfile
import zipfile

import pytest

from helpers.packed import tarred, tree, zipped
from trml.base.errors import ArchiveRefused
from trml.sources.formats import limits
from trml.sources.formats.archives import unpack

TWO = tarred({"a": b"1", "b": b"2"}, "w")


def chained(kind, text, count=600, then=bytes(1024)):
    """A tar header that is extended by hundreds of headers."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = kind, len(text)
    return (info.tobuf() + text + bytes(-len(text) % 512)) * count + then


def sparse_and_cut():
    """The header of an old sparse file that says that it goes on, and the end of the file."""
    info = tarfile.TarInfo("a")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[482], header[148:156] = 1, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def sparse_map(size):
    """A sparse file whose map has as many numbers as fit into so many bytes."""
    numbers = b"1\n" * (size // 2)
    header = b"%d\n" % (len(numbers) // 4)
    pax = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a", "GNU.sparse.realsize": "1"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as file:
        info = tarfile.TarInfo("a")
        info.size, info.pax_headers = len(header + numbers), pax
        file.addfile(info, io.BytesIO(header + numbers))
    return buffer.getvalue()


def listed_as(entries, comment=b""):
    """A zip of two members, whose last record states `entries` and no list; in a comment of the true one, if any."""
    content = bytearray(zipped({"a": b"1", "b": b"2"}))
    end = content.rfind(b"PK\x05\x06")
    record = bytearray(content[end:])
    record[8:12] = bytes([entries, 0, entries, 0])
    if not comment:
        content[end:] = record
        return bytes(content)
    record[12:20] = bytes(8)
    content[end + 20 : end + 22] = len(record).to_bytes(2, "little")
    return bytes(content + record)


def list_of_the_last():
    """A zip whose list is stated to begin at its second member."""
    content = bytearray(zipped({"a": b"1", "b": b"2"}))
    end, second = content.rfind(b"PK\x05\x06"), content.rfind(b"PK\x01\x02")
    content[end + 8 : end + 20] = struct.pack("<HHII", 1, 1, end - second, second)
    return bytes(content)


def lzma_dictionary():
    """A zip member packed by LZMA, with the properties of a dictionary of 4 GiB."""
    content = bytearray(zipped({"a": b"x" * 50}, zipfile.ZIP_LZMA))
    at = content.find(b"\x05\x00]") + 3
    content[at : at + 4] = b"\xff" * 4
    return bytes(content)


HOSTILE = {
    "zip: LZMA": (lzma_dictionary(), "'a' is packed by method 14 (lzma); expected stored or deflated"),
    "zip: bzip2": (zipped({"a": b"x"}, zipfile.ZIP_BZIP2), "'a' is packed by method 12 (bzip2)"),
    "zip: a list that states none": (listed_as(0), "is damaged (its list states 0 members and has 2)"),
    "zip: another list in its comment": (listed_as(0, b"x"), "is damaged (a member at byte 0 is not in its list)"),
    "zip: a list of the last": (list_of_the_last(), "is damaged ("),
    "tar: long names without end": (chained(b"L", b"name\0"), "is damaged (maximum recursion depth exceeded"),
    "tar: headers without end": (chained(b"x", b"13 path=name\n"), "is damaged (maximum recursion depth exceeded"),
    "tar: global headers without end": (chained(b"g", b"13 path=name\n"), "is damaged (maximum recursion depth"),
    "tar: headers of 6 MB": (chained(b"L", b"x" * 99_840, 60), "it has a file with more than 262144 bytes of headers"),
    "tar: global headers of 80 kB": (chained(b"g", b"80009 a=" + b"x" * 80_000 + b"\n", 1, TWO), "its global headers"),
    "tar: a map of 1 MB": (sparse_map(1 << 20), "it has a file with more than 262144 bytes of headers"),
    "tar: a sparse header, cut": (sparse_and_cut(), "is damaged (index out of range)"),
    "tar: two in one file": (TWO + TWO, "is damaged (more follows its end, at byte 10240"),
    "tar.gz: two in one file": (tarred({"a": b"1"}) + tarred({"b": b"2"}), "is damaged (more follows its end, at byte"),
    "tar: a file without a name": (tarred({".": b"x"}), "'.' names the folder itself, and is a file"),
    "tar: a list of unpacked files": (
        tarred({".in.tar.members": b"{}"}),
        "'.in.tar.members' is a hidden name that ends in .members, which is reserved",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_crafted(tmp_path, monkeypatch, case):
    monkeypatch.setattr(limits, "DISK", 1 << 20)
    content, words = HOSTILE[case]
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused) as refusal:
        unpack(tmp_path / "x.zip", tmp_path / "out")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inner", [{}, {"in2.tar": tarred({"a.txt": b"CCCC"}, "w")}])
def test_two_files_of_one_name_and_size_are_compared(tmp_path, inner):
    first = {"a.txt": b"AAAA"} if not inner else {}
    (tmp_path / "x.tar").write_bytes(tarred({**first, "in.tar": tarred({"a.txt": b"BBBB"}, "w"), **inner}, "w"))
    with pytest.raises(ArchiveRefused, match=r"in2?\.tar is refused: .*a\.txt exists and differs from the archive's"):
        unpack(tmp_path / "x.tar", tmp_path / "out")


def test_equal_files_of_one_name_are_one(tmp_path):
    (tmp_path / "x.tar").write_bytes(tarred({"a": b"1", "in.tar": tarred({"a": b"1", "b": b"2"}, "w")}, "w"))
    unpack(tmp_path / "x.tar", tmp_path / "out")
    assert tree(tmp_path / "out") == {"a": b"1", "b": b"2"}
