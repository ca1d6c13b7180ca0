"""Pictures and videos from outside: one file each, by the reader of its kind, with right values, within the budget."""

import struct
import threading
import zlib
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
from matplotlib.image import imread
from PIL import Image

from helpers.clips import write_video
from helpers.own_data import report, rows, write
from trml.base.errors import ClipUnreadable
from trml.corpora.checking.probe import probe
from trml.evaluation.probing.examples import with_media
from trml.sources.formats import open_media
from trml.sources.formats.open_media import PIXELS, decoded, open_picture, open_video, video_stream
from trml.sources.formats.video_reader import Clip, read_frames, read_parts

PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfilm.mp4\n#EXT-X-ENDLIST\n"
LISTS = {
    "list.m3u8": PLAYLIST,
    "list.mp4": PLAYLIST,
    "after_blanks.mp4": "\ufeff\n\n" + PLAYLIST,
    "far_down.mp4": "\n" * 100 + PLAYLIST,
    "concat.mp4": "ffconcat version 1.0\nfile film.mp4\n",
    "stream.mpd": "<?xml version='1.0'?><MPD><Period><BaseURL>film.mp4</BaseURL></Period></MPD>",
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
}


def large_png(path: Path, width: int = 13_000, height: int = 13_000) -> Path:
    """A picture that states its size and has next to no bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return path


def unknown_codec(path: Path) -> Path:
    content = bytearray(write_video(path, n=10).read_bytes())
    at = content.index(b"avc1", content.index(b"stsd"))
    content[at : at + 4] = b"zzzz"
    path.write_bytes(content)
    return path


def sixteen(path: Path) -> np.ndarray:
    """A grey picture of 16 bits, from 300 to 65535; returns what 8 bits of it are."""
    values = np.linspace(300, 65535, 64 * 48).reshape(48, 64).round().astype(np.uint16)
    Image.fromarray(values).save(path)
    return np.rint(values / 257).astype(np.uint8)


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_sixteen_bits_are_scaled_to_eight(tmp_path, name):
    expected = sixteen(tmp_path / name)
    with open_picture(tmp_path / name) as picture:
        found = np.asarray(decoded(picture))
    np.testing.assert_array_equal(found, np.repeat(expected[..., None], 3, axis=2))
    np.testing.assert_array_equal(np.asarray(read_frames(Clip(tmp_path / name), 1)[0]), found)


@pytest.mark.parametrize(("mode", "kind"), [("F", "floating-point"), ("I", "32-bit")])
def test_pixels_of_no_known_range_are_refused(tmp_path, mode, kind):
    Image.new(mode, (20, 20)).save(tmp_path / "x.tif")
    with (
        pytest.raises(ClipUnreadable, match=f"it has {kind} pixels, of no known range; expected 8 or 16 bits"),
        open_picture(tmp_path / "x.tif"),
    ):
        pass


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_other_files_is_no_video(tmp_path, name):
    write_video(tmp_path / "film.mp4", n=10)
    (tmp_path / name).write_text(LISTS[name])
    media = probe(tmp_path / name, decode=True)
    assert media.fault.startswith("cannot be opened or decoded")
    assert "film" not in media.fault
    with pytest.raises(ClipUnreadable, match=r"list of other files|not a picture or video"):
        read_frames(Clip(tmp_path / name), 2)


@pytest.mark.parametrize("name", ["file.mp4", "a:b.mp4", "concat:x.mp4", "%03d.mp4", "-i.mp4"])
def test_the_name_of_a_video_is_no_address(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "film.mp4", n=10).rename(name)
    with open_video(Path(name)) as container:
        assert video_stream(container).codec_context.width == 64


def test_a_codec_that_ffmpeg_does_not_know_is_a_reason(tmp_path):
    path = unknown_codec(tmp_path / "x.mp4")
    assert probe(path, decode=True).fault == "cannot be opened or decoded: its codec is not known to FFmpeg"
    with pytest.raises(ClipUnreadable, match="its codec is not known to FFmpeg"):
        read_frames(Clip(path), 2)


def test_pictures_that_state_more_pixels_than_the_budget_are_not_decoded(tmp_path, monkeypatch):
    folder = write(tmp_path / "x", rows(12))
    for i in range(4):
        large_png(folder / "media" / f"{i}.png")
    text, sound = report(folder)
    assert not sound
    assert "line 2: clip 'media/0.png' cannot be opened or decoded: it has 13000 x 13000 pixels" in text
    assert f"expected at most {PIXELS:,}" in text


def test_frames_larger_than_the_budget_are_not_decoded(tmp_path, monkeypatch):
    path = write_video(tmp_path / "x.mp4", n=10)
    monkeypatch.setattr(open_media, "PIXELS", 1000)
    assert "it has frames of 64 x 48 pixels; expected at most 1,000" in probe(path).fault
    with pytest.raises(ClipUnreadable, match="it has frames of 64 x 48 pixels"):
        read_frames(Clip(path), 2)
    with pytest.raises(ClipUnreadable, match="it has 13000 x 13000 pixels"):
        read_frames(Clip(large_png(tmp_path / "x.png")), 2)


def stating(path: Path, frames: int) -> Path:
    """A video of a few kB whose lists state so many frames of one byte each."""
    content = bytearray(write_video(path, n=10).read_bytes())
    for kind, after, *numbers in ((b"stsz", 8, 1, frames), (b"stts", 12, frames, 1), (b"stsc", 8, 1, 1, frames, 1)):
        struct.pack_into(f">{len(numbers)}I", content, content.index(kind) + after, *numbers)
    path.write_bytes(content)
    return path


def in_one_fragment(path: Path, frames: int) -> Path:
    """A video of one fragment that states so many frames, and nothing about any of them."""
    with av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    content = bytearray(path.read_bytes())
    struct.pack_into(">II", content, content.index(b"trun") + 4, 1, frames)
    path.write_bytes(content)
    return path


def test_a_video_that_states_millions_of_frames_is_not_opened(tmp_path):
    """FFmpeg makes an index of all that are stated: 1.1 GB for 15 million. Another process tries."""
    for path, words in (
        (stating(tmp_path / "listed.mp4", 15_000_000), "it states 15,000,000 frames; expected at most 2,000,000"),
        (in_one_fragment(tmp_path / "fragment.mp4", 30_000_000), "it cannot be read in 512 MB of memory"),
    ):
        assert path.stat().st_size < 10_000
        with pytest.raises(ClipUnreadable, match=words):
            read_frames(Clip(path), 2)
        assert words in probe(path).fault


def test_frames_without_times_are_a_reason(tmp_path):
    with av.open(str(tmp_path / "bare.h264"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode())
    with pytest.raises(ClipUnreadable, match="it has no frames, or none with a time"):
        read_frames(Clip(tmp_path / "bare.h264"), 2)


def test_a_frame_that_ffmpeg_marks_as_damaged_is_a_reason(tmp_path):
    path = write_video(tmp_path / "x.mp4", n=60, codec="mpeg4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packet = next(each for each in container.demux(stream) if each.pts * stream.time_base == 2)
        begin, end = packet.pos + packet.size // 3, packet.pos + packet.size
    content = bytearray(path.read_bytes())
    content[begin:end] = bytes(end - begin)
    path.write_bytes(content)
    with pytest.raises(ClipUnreadable, match=r"its frame at 2\.00 s cannot be decoded"):
        read_frames(Clip(path, (2.0, 2.03)), 1)
    assert len(read_frames(Clip(path, (0.0, 1.0)), 4)) == 4, "those before it"


def test_scans_that_are_repeated_are_not_decoded(tmp_path):
    """Each takes 53 bytes here, and goes over all pixels."""
    path = tmp_path / "x.jpg"
    Image.effect_noise((64, 48), 80).convert("RGB").save(path, progressive=True)
    content = path.read_bytes()
    last = content[content.rindex(b"\xff\xda") : -2]
    path.write_bytes(content[:-2] + last * 20 + content[-2:])
    assert read_frames(Clip(path), 1)[0].size == (64, 48)
    path.write_bytes(content[:-2] + last * 200 + content[-2:])
    with pytest.raises(ClipUnreadable, match="it has more than 100 scans"):
        read_frames(Clip(path), 1)


@pytest.mark.parametrize("kind", [1, 2, 5, 7, 10, 11, 12])
@pytest.mark.parametrize("tag", [0x100, 0x101, 0x111, 0x8769, 0x8825])
def test_exif_data_that_cannot_be_written_again_turn_the_picture_all_the_same(tmp_path, kind, tag):
    """Pillow writes them anew after it has turned a picture, and fails on values of another type than it expects."""
    entries = struct.pack("<HHIHH", 0x112, 3, 1, 6, 0) + struct.pack("<HHI4s", tag, kind, 1, b",\0\0\0")
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(48)
    Image.new("RGB", (30, 90)).save(tmp_path / "x.jpg")
    content = (tmp_path / "x.jpg").read_bytes()
    block = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    (tmp_path / "x.jpg").write_bytes(content[:2] + block + content[2:])
    assert read_frames(Clip(tmp_path / "x.jpg"), 1)[0].size == (90, 30)


def grey_tiff(path: Path, values: np.ndarray, bits: int, **tags: int) -> Path:
    """A grey TIFF without compression; `tags` are further ones by their number, as t262=0."""
    height, width = values.shape
    if bits == 12:
        pairs = values.reshape(-1, 2).astype(np.uint32)
        data = b"".join(int(a << 12 | b).to_bytes(3, "big") for a, b in pairs)
    else:
        data = values.astype("<u2" if bits == 16 else "i1").tobytes()
    given = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    given |= {int(name[1:]): value for name, value in tags.items()}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(given.items()))
    start = 8 + len(data)
    content = b"II*\0" + struct.pack("<I", start) + data + struct.pack("<H", len(given)) + entries + bytes(4)
    path.write_bytes(content)
    return path


def test_grey_of_twelve_bits_and_white_that_is_zero(tmp_path):
    twelve = np.linspace(0, 4095, 64).round().astype(np.uint16).reshape(8, 8)
    (frame,) = read_frames(Clip(grey_tiff(tmp_path / "twelve.tif", twelve, 12)), 1)
    np.testing.assert_array_equal(np.asarray(frame)[..., 0], np.rint(twelve / 4095 * 255))
    sixteen_bits = np.linspace(0, 65535, 64).round().astype(np.uint16).reshape(8, 8)
    (frame,) = read_frames(Clip(grey_tiff(tmp_path / "white.tif", sixteen_bits, 16, t262=0)), 1)
    np.testing.assert_array_equal(np.asarray(frame)[..., 0], np.rint((65535 - sixteen_bits) / 257))
    signed = grey_tiff(tmp_path / "signed.tif", np.full((8, 8), -1), 8, t339=2)
    with pytest.raises(ClipUnreadable, match="pixels below zero"):
        read_frames(Clip(signed), 1)


@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "RGB"])
def test_what_is_transparent_is_white_whatever_colour_lies_below(tmp_path, kind):
    """Half of it is transparent above black: as alpha, as the first colour of a palette, or as one colour of RGB."""
    picture = Image.new("RGBA", (8, 4), (0, 0, 0, 0))
    picture.paste((200, 200, 200, 255), (0, 0, 4, 4))
    options = {}
    if kind in ("P", "RGB"):
        picture, options = picture.convert("RGB"), {"transparency": (0, 0, 0)}
    if kind == "P":
        picture = picture.quantize(2)
        options = {"transparency": picture.getpixel((7, 0))}
    picture.convert(kind).save(tmp_path / "x.png", **options)
    (frame,) = read_frames(Clip(tmp_path / "x.png"), 1)
    assert (frame.getpixel((0, 0)), frame.getpixel((7, 0))) == ((200, 200, 200), (255, 255, 255))


@pytest.mark.parametrize("part", [(0.0, 1e300), (1e300, 1e301), (float("nan"), 1.0), (0.0, float("inf"))])
def test_parts_that_no_clip_has_are_read_or_are_a_reason(tmp_path, part):
    (frames,) = read_parts(write_video(tmp_path / "x.mp4", n=10), [part], 4, None, lambda frame: frame.size)
    assert isinstance(frames, ClipUnreadable) or all(size == (64, 48) for size in frames)


def test_threads_hold_no_more_pixels_than_the_budget_at_once():
    room, held, most = open_media._Room(10), [], []

    def hold() -> None:
        with room.hold(4):
            held.append(4)
            most.append(sum(held))
            pause.wait(0.01)
            held.pop()

    pause = threading.Event()
    threads = [threading.Thread(target=hold) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(most) == 8
    assert max(most) <= 8
    with room.hold(100):  # one alone, however large
        assert room.taken == 100
    assert room.taken == 0


IDS = [".", "..", "a" * 300, "a/b", "../../evil", "\x1b[2J", "é\n"]
SIZES = [(1, 5000), (5000, 1), (1, 1), (20, 16), (3000, 3000), (129, 128), (2, 7)]


def test_the_strips_of_examples_take_any_id_and_any_picture(tmp_path):
    media, folder = tmp_path / "media", tmp_path / "out"
    media.mkdir()
    folder.mkdir()
    for i, size in enumerate(SIZES):
        Image.new("RGB", size, "navy").save(media / f"{i}.png")
    table = pl.DataFrame({"utterance_id": IDS, "text": "t", "clip": [f"{i}.png" for i in range(len(IDS))]})
    shown = with_media([{"utterance_id": each} for each in IDS], table, media, folder, 2)
    assert [each["strip"] for each in shown] == [f"examples/{i}.png" for i in range(len(IDS))]
    assert sorted(path.name for path in (folder / "examples").iterdir()) == [f"{i}.png" for i in range(len(IDS))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["media", "out"]
    for each in shown:
        height, width, _ = imread(folder / each["strip"]).shape
        assert 8 <= height <= 128
        assert 1 <= width <= 4 * 128
