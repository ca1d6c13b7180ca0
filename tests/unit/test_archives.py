"""Archives: files come out as they went in, and hostile or broken archives end in one line."""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile

import pytest

from helpers.packed import tarred, tree, zipped
from trml.base.errors import ArchiveRefused, DataMissing
from trml.sources.formats import archive_entries, archive_members, archives, limits
from trml.sources.formats.archives import unpack

FILES = {"raw/a.txt": b"first", "raw/deep/er/b.bin": bytes(range(256)) * 300, "raw/empty": b"", "c.csv": b"x,y\n1,2\n"}


@pytest.mark.parametrize(
    "content", [zipped(FILES), zipped(FILES, zipfile.ZIP_STORED), tarred(FILES), tarred(FILES, "w")]
)
@pytest.mark.parametrize("name", ["corpus.zip", "corpus.bin"])
def test_round_trip_whatever_the_name_says(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    unpack(tmp_path / name, tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


def test_meld_in_its_true_layout(tmp_path, capsys):
    split = {"train": "train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
    clips = {s: {f"{d}/dia{i}_utt0.mp4": os.urandom(2000) for i in range(3)} for s, d in split.items()}
    inner = {f"MELD.Raw/{s}.tar.gz": tarred({**of, f"{split[s]}/._dia0_utt0.mp4": b"mac"}) for s, of in clips.items()}
    outer = {"MELD.Raw/train_sent_emo.csv": b"x", "MELD.Raw/._train.tar.gz": b"mac", "MELD.Raw/.DS_Store": b"mac"}
    (tmp_path / "MELD.Raw.tar.gz").write_bytes(tarred({**outer, **inner}))
    for _ in range(2):  # a second time finds all of it
        unpack(tmp_path / "MELD.Raw.tar.gz", tmp_path)
        found = tree(tmp_path / "MELD.Raw")
        assert found == {"train_sent_emo.csv": b"x", **{k: v for of in clips.values() for k, v in of.items()}}
    said = capsys.readouterr().err
    assert "MELD.Raw.tar.gz: 4 files unpacked, 0 were already unpacked, 2 macOS metadata files skipped" in said
    assert "MELD.Raw.tar.gz: 0 files unpacked, 4 were already unpacked" in said
    (tmp_path / "MELD.Raw/train_splits/dia1_utt0.mp4").unlink()
    unpack(tmp_path / "MELD.Raw.tar.gz", tmp_path)
    assert tree(tmp_path / "MELD.Raw") == found


def crafted_zip(change):
    """A zip whose bytes are changed: change(bytearray) in place."""
    content = bytearray(zipped({"a.txt": b"hello hello hello", "b.txt": b"other"}, zipfile.ZIP_STORED))
    change(content)
    return bytes(content)


def flip(old, new):
    return lambda content: content.__setitem__(slice(content.find(old), content.find(old) + len(old)), new)


def quine():
    """A zip that holds a zip that holds a zip ..."""
    content = zipped({"x": b"x"})
    for i in range(4):
        content = zipped({f"inner{i}.zip": content})
    return content


def overlapping():
    """Two entries of the central directory that point to one local file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a", b"0" * 1000)
        file.writestr("b", b"0" * 1000)
        file.infolist()[1].header_offset = 0
    return buffer.getvalue().replace(b"b" + b"0" * 1000, b"a" + b"0" * 1000)


def huge_pax():
    """A pax header that says it has 2 GB."""
    content = bytearray(
        tarred(
            {"a" * 150 + "é": b"x"},
            "w",
        )
    )
    info = tarfile.TarInfo("PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 1 << 31
    return info.tobuf() + bytes(content)


def bad_header(content):
    """The second header of a tar of two files, one byte changed."""
    changed = bytearray(content)
    changed[1024] ^= 0xFF
    return bytes(changed)


def few_members(monkeypatch, most):
    for module in (archive_entries, archive_members):
        monkeypatch.setattr(module, "MEMBERS", most)


TWO = tarred({"a": b"1", "b": b"2"}, "w")
HOSTILE = {
    "tar: absolute": (tarred({"/etc/evil": b"x"}), "'/etc/evil' is an absolute path"),
    "tar: dots": (tarred({"a/../../evil": b"x"}), "'a/../../evil' is a path that leads out of the folder"),
    "zip: dots": (zipped({"../evil": b"x"}), "'../evil' is a path that leads out of the folder"),
    "zip: absolute": (zipped({"/evil": b"x"}), "'/evil' is an absolute path"),
    "zip: drive": (zipped({"C:/evil": b"x"}), "'C:/evil' is an absolute path"),
    "zip: backslash": (zipped({"..\\evil": b"x"}), "is a path with backslashes"),
    "zip: control": (zipped({"a\nb": b"x"}), "control characters"),
    "tar: not UTF-8": (tarred({"caf\udce9": b"x"}, "w"), "not UTF-8"),
    "zip: name of 300": (zipped({"x" * 300: b"x"}), "is a name that is too long"),
    "zip: deep": (zipped({"x/" * 600 + "y": b"x"}), "is a name that is too long"),
    "zip: a name of nothing": (zipped({"abc": b"x"}).replace(b"abc", b"\0bc"), "has control characters"),
    "zip: .part": (zipped({"a.part": b"x"}), "a name that ends in .part"),
    "tar: symlink out": (tarred({"l": None}, type=tarfile.SYMTYPE, linkname="/etc"), "'l' is a link"),
    "tar: symlink in": (tarred({"l": None, "l/x": b"x"}, type=tarfile.SYMTYPE, linkname="."), "'l' is a link"),
    "tar: hardlink": (tarred({"l": None}, type=tarfile.LNKTYPE, linkname="../x"), "'l' is a link"),
    "tar: device": (tarred({"d": None}, type=tarfile.CHRTYPE), "'d' is a device, pipe or other special file"),
    "tar: fifo": (tarred({"d": None}, type=tarfile.FIFOTYPE), "'d' is a device, pipe or other special file"),
    "tar: sparse": (tarred({"d": None}, type=tarfile.GNUTYPE_SPARSE), "'d' is a device, pipe or other special file"),
    "zip: symlink": (zipped({"l": b"/etc"}, external_attr=(stat.S_IFLNK | 0o777) << 16), "'l' is a link"),
    "zip: fifo": (zipped({"l": b""}, external_attr=stat.S_IFIFO << 16), "special file"),
    "zip: case": (
        zipped({"A.txt": b"x", "a.TXT": b"y"}),
        "'a.TXT' and 'A.txt' are one name on",
    ),
    "tar: folder's case": (tarred({"Up/a": b"x", "up/b": b"y"}), "are one name on file systems that ignore case"),
    "tar: twice": (tarred({"a": b"x", "./a": b"y"}), "'a' is in it twice"),
    "zip: file and folder": (zipped({"a": b"x", "a/b": b"y"}), "'a' is a file and a folder"),
    "zip: many": (zipped({str(i): b"" for i in range(60)}), "it has 60 members; expected at most 50"),
    "tar: many": (tarred({str(i): b"" for i in range(60)}), "it has more than 50 members"),
    "zip: bomb": (zipped({"a": bytes(3 << 20)}), "it unpacks to more than 1048576 bytes"),
    "tar: bomb": (tarred({"a": bytes(3 << 20)}), "it unpacks to more than 1048576 bytes"),
    "tar: header of 2 GB": (huge_pax(), "it has a header of 2147483648 bytes"),
    "zip: encrypted": (crafted_zip(lambda c: c.__setitem__(c.find(b"PK\x01\x02") + 8, 1)), "'a.txt' is encrypted"),
    "zip: overlap": (overlapping(), "overlaps with what comes after it"),
    "zip: wrong crc": (crafted_zip(flip(b"hello", b"jello")), "is damaged (Bad CRC-32 for file 'a.txt')"),
    "zip: no such method": (
        crafted_zip(lambda c: c.__setitem__(c.find(b"PK\x01\x02") + 10, 99)),
        "'a.txt' is packed by method 99 (unknown); expected stored or deflated",
    ),
    "zip: begins before the file": (crafted_zip(lambda c: c.__delitem__(slice(14, 21))), "is damaged ("),
    "zip: a name in no encoding": (zipped({"é": b"x"}).replace("é".encode(), b"\xb8\xb8"), "is damaged ('utf-8' codec"),
    "zip: cut": (zipped(FILES)[:-40], "is damaged (File is not a zip file)"),
    "tar.gz: cut": (tarred(FILES)[:-20], "is damaged (Compressed file ended before"),
    "tar.gz: wrong crc": (tarred(FILES)[:-8] + b"12345678", "is damaged (CRC check failed"),
    "tar: cut in a file": (tarred({"a": bytes(5000)}, "w")[:3000], "is damaged (unexpected end of data)"),
    "tar: cut between files": (TWO[:1024], "is damaged (no header at byte 1024"),
    "tar: bad header": (bad_header(TWO), "is damaged (no header at byte 1024: bad checksum)"),
    "html": (b"<!DOCTYPE html><html>Sign in</html>", "it is a web page; expected zip, tar or tar.gz"),
    "html, zipped": (gzip.compress(b"<html>404</html>"), "it is a gzip file of a web page"),
    "empty": (b"", "it is an empty file"),
    "rar": (b"Rar!\x1a\x07" + bytes(100), "it is a rar archive"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "it is a 7z archive; expected zip, tar or tar.gz"),
    "xz": (lzma.compress(TWO), "it is an xz file; expected zip, tar or tar.gz"),
    "bzip2": (bz2.compress(TWO), "it is a bzip2 file; expected zip, tar or tar.gz"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer to a file of Git LFS, not the file"),
    "a zip in a zip in a zip ...": (quine(), "archives are nested more than 3 deep"),
    "inner html": (zipped({"train.tar.gz": b"<html>"}), "it is a web page"),
    "inner dots": (tarred({"in/x.zip": zipped({"../../evil": b"x"})}), "a path that leads out of the folder"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_and_broken(tmp_path, monkeypatch, case):
    few_members(monkeypatch, 50)
    monkeypatch.setattr(limits, "DISK", 1 << 20)
    content, words = HOSTILE[case]
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused) as refusal:
        unpack(tmp_path / "x.zip", tmp_path / "out" / "folder")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    written = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert all(name.endswith((".zip", ".tar.gz")) for name in written), "inner archives alone are there"


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "x.zip").write_bytes(zipped({"a.txt": b"12345", "b.txt": b"6"}))
    (tmp_path / "a.txt").write_bytes(b"54321")
    with pytest.raises(ArchiveRefused, match=r"a\.txt exists and differs from the archive's\. Remove it"):
        unpack(tmp_path / "x.zip", tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"54321"
    assert not (tmp_path / "b.txt").exists()


def test_a_link_that_is_there_is_not_followed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/raw").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "x.zip").write_bytes(zipped({"raw/a.txt": b"x"}))
    with pytest.raises(ArchiveRefused, match="out/raw is a link"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    assert not any((tmp_path / "elsewhere").iterdir())


def test_modes_are_not_taken(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        info = tarfile.TarInfo("su")
        info.mode = 0o6777
        file.addfile(info)
    (tmp_path / "x.tar").write_bytes(buffer.getvalue())
    unpack(tmp_path / "x.tar", tmp_path)
    assert (tmp_path / "su").stat().st_mode & 0o7111 == 0


def test_a_full_disk_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3 << 20}))
    (tmp_path / "x.zip").write_bytes(zipped({"a": bytes(5 << 20)}))
    with pytest.raises(ArchiveRefused, match="unpacks to 5 MB and 3 MB are free"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_no_archive(tmp_path):
    with pytest.raises(DataMissing, match=r"is missing\. Put the archive there"):
        unpack(tmp_path / "x.zip", tmp_path)


def bomb(levels: int, count: int, size: int, name: str = "x") -> bytes:
    """Zeros, packed; or `count` such archives in an archive. No two files have one name."""
    if levels == 0:
        return zipped({f"{name}.txt": bytes(size)})
    return zipped({f"{name}{i}.zip": bomb(levels - 1, count, size, f"{name}{i}") for i in range(count)})


@pytest.mark.parametrize("levels", [1, 2])
def test_archives_in_an_archive_share_its_budget(tmp_path, monkeypatch, levels):
    monkeypatch.setattr(limits, "DISK", 1 << 20)
    content = bomb(levels, 3, 500_000)
    assert len(content) < 6000  # so that 200 times its size is more than nothing, and less than 1.5 MB
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused, match=r"unpacks to more than 1[0-9]* bytes, with the archives in and around it"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    written = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert written <= max(200 * len(content), 1 << 20)


def test_members_of_inner_archives_count(tmp_path, monkeypatch):
    few_members(monkeypatch, 20)
    inner = {f"{i}.zip": zipped({f"{i}-{j}": b"" for j in range(9)}) for i in range(3)}
    (tmp_path / "x.zip").write_bytes(zipped(inner))
    with pytest.raises(
        ArchiveRefused, match="it has more than 20 members, with those of the archives in and around it"
    ):
        unpack(tmp_path / "x.zip", tmp_path / "out")


def test_a_waiting_link_is_not_written_through(tmp_path):
    (tmp_path / "x.zip").write_bytes(zipped({"a": b"content"}))
    out = tmp_path / "out"
    out.mkdir()
    (out / ".a.part").symlink_to(tmp_path / "outside")
    unpack(tmp_path / "x.zip", out)
    assert (out / "a").read_bytes() == b"content"
    assert not (tmp_path / "outside").exists()
    assert not (out / "a").is_symlink()
    assert sorted(path.name for path in out.iterdir()) == ["a"]


def test_a_list_of_members_that_states_fewer_is_counted(tmp_path, monkeypatch):
    few_members(monkeypatch, 20)
    content = bytearray(zipped({str(i): b"" for i in range(60)}))
    end = content.rfind(b"PK\x05\x06")
    content[end + 8 : end + 12] = b"\x01\x00\x01\x00"
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused, match="it has 60 members; expected at most 20"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


@pytest.mark.parametrize(("make", "words"), [(os.mkfifo, "is a named pipe"), (os.mkdir, "is a folder")])
def test_an_archive_that_is_no_file(tmp_path, make, words):
    make(tmp_path / "x.zip")
    with pytest.raises(DataMissing, match=rf"x\.zip {words}\. Put the archive there"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
