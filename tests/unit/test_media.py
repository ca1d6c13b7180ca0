"""Reading clips: the same frames as a plain loop that decodes everything, and every kind of file that is no clip."""

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from helpers.clips import write_video as write
from trml.base.errors import ClipUnreadable
from trml.sources.formats.media_fragment import with_part
from trml.sources.formats.video_reader import Clip, read_frames, read_parts


def plain(path: Path, count: int, part=None) -> list[Image.Image]:
    """The slow way: decode every frame, then look which is shown in the middle of each span."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(video=0))
        zero, unit = stream.start_time or 0, stream.time_base
    with av.open(str(path)) as container:
        end = max(p.pts + (p.duration or 0) for p in container.demux(video=0) if p.pts is not None)
    start_s, end_s = part or (float((frames[0].pts - zero) * unit), float((end - zero) * unit))
    end_s = min(end_s, float((end - zero) * unit))
    chosen = []
    for i in range(count):
        at = zero + (start_s + (i + 0.5) / count * (end_s - start_s)) / unit
        shown = max([j for j, frame in enumerate(frames) if frame.pts <= at], default=0)
        if shown not in chosen:
            chosen.append(shown)
    return [frames[j].to_image() for j in chosen]


VARIABLE = np.cumsum(np.random.default_rng(1).integers(5, 400, 60))
VIDEOS = {
    "plain.mp4": {},
    "long_groups.mp4": {"g": "250", "bf": "3", "b-pyramid": "normal", "n": 300},
    "short_groups.mkv": {"g": "10"},
    "old.avi": {"codec": "mpeg4"},
    "no_index.ts": {},
    "variable.mp4": {"n": 60, "times_ms": VARIABLE},
    "vp9.webm": {"codec": "libvpx-vp9", "n": 80, "deadline": "realtime", "cpu-used": "8"},
}


@pytest.mark.parametrize("name", VIDEOS)
def test_frames_are_those_of_a_plain_loop(tmp_path, name):
    path = write(tmp_path / name, **VIDEOS[name])
    for count, part in [(8, None), (1, None), (5, (1.1, 2.7)), (3, (0, 0.01)), (4, (2.0, 2.0)), (200, (0.5, 1.0))]:
        ours, theirs = read_frames(Clip(path, part), count), plain(path, count, part)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_parts_read_together_are_those_read_apart(tmp_path):
    path = write(tmp_path / "long.mp4", n=300, g="250")
    parts = [(0.0, 1.5), (1.5, 4.0), (9.0, 10.0), (3.0, 3.5), (50.0, 51.0), (5.0, 4.0)]
    together = read_parts(path, parts, 4, None, np.asarray)
    for part, found in zip(parts, together, strict=True):
        if isinstance(found, ClipUnreadable):
            with pytest.raises(ClipUnreadable, match=str(found)):
                read_frames(Clip(path, part), 4)
        else:
            apart = read_frames(Clip(path, part), 4)
            assert len(apart) == len(found)
            assert all((np.asarray(a) == b).all() for a, b in zip(apart, found, strict=True))
    assert [isinstance(found, ClipUnreadable) for found in together] == [False] * 4 + [True] * 2


def test_so_many_frames_a_second_where_that_makes_fewer(tmp_path):
    path = write(tmp_path / "clip.mp4", n=100)  # 4 s
    assert len(read_frames(Clip(path), 8, 1.0)) == 4
    assert len(read_frames(Clip(path), 8, 10.0)) == 8
    assert len(read_frames(Clip(path, (1.0, 1.2)), 8, 1.0)) == 1


def test_a_video_is_shown_upright(tmp_path):
    """A phone held upright writes a picture that lies on its side, and says how to turn it."""
    path = write(tmp_path / "lying.mp4", n=10)
    lying = np.asarray(read_frames(Clip(path), 1)[0])
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 4 + 20 + 16
    quarter = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)  # clockwise
    content[matrix : matrix + 36] = struct.pack(">9i", *quarter)
    path.write_bytes(content)
    np.testing.assert_array_equal(np.asarray(read_frames(Clip(path), 1)[0]), np.rot90(lying, -1))


def test_a_picture_is_one_frame_turned_as_its_exif_says(tmp_path):
    Image.new("L", (30, 90), 128).save(tmp_path / "grey.png")
    (frame,) = read_frames(Clip(tmp_path / "grey.png"), 8)
    assert (frame.mode, frame.size) == ("RGB", (30, 90))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 90)).save(tmp_path / "turned.jpg", exif=exif)
    assert read_frames(Clip(tmp_path / "turned.jpg"), 8)[0].size == (90, 30)


def test_the_bytes_say_what_a_file_is(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    (tmp_path / "photo.mp4").write_bytes((tmp_path / "photo.png").read_bytes())
    assert read_frames(Clip(tmp_path / "photo.mp4"), 4)[0].size == (8, 8)
    write(tmp_path / "film.mp4", n=10)
    (tmp_path / "film.jpg").write_bytes((tmp_path / "film.mp4").read_bytes())
    assert len(read_frames(Clip(tmp_path / "film.jpg"), 4)) == 4
    assert read_frames(Clip(write(tmp_path / "tiny.mkv", n=4, size=(2, 2), codec="ffv1")), 2)[0].size == (2, 2)


def test_a_reference_says_the_file_and_the_seconds():
    assert Clip.parse("a/b.mp4", Path("m")) == Clip(Path("m/a/b.mp4"))
    assert Clip.parse(with_part("a/b.mp4", 1.5, 22 / 7), Path("m")) == Clip(Path("m/a/b.mp4"), (1.5, 3.143))


def _faststart(path: Path) -> bytes:
    """The same packets with the index in front, as files for the web have it."""
    web = path.with_suffix(".web.mp4")
    with av.open(str(path)) as source, av.open(str(web), "w", options={"movflags": "faststart"}) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    return web.read_bytes()


def _sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def broken(folder: Path) -> dict[str, tuple[bytes | None, str]]:
    """Files that are no clip: content and the words that say why."""
    film, photo = folder / "film.mp4", folder / "photo.jpg"
    write(film, n=200)
    Image.effect_noise((200, 200), 50).save(photo)
    _sound(folder / "sound.mp4")
    web = _faststart(film)
    return {
        "absent.mp4": (None, "does not exist"),
        "empty.mp4": (b"", "empty"),
        "text.mp4": (b"not a video, just a sentence", "not a picture or video"),
        "page.jpg": (b"<html><body>404</body></html>", "not a picture or video"),
        "zeros.mp4": (bytes(5000), "not a picture or video"),
        "half_of_index_last.mp4": (film.read_bytes()[: film.stat().st_size // 2], "not a picture or video"),
        "half_of_index_first.mp4": (web[: len(web) // 2], "cut off at"),
        "half.jpg": (photo.read_bytes()[: photo.stat().st_size // 2], "truncated"),
        "header_only.png": (b"\x89PNG\r\n\x1a\n" + bytes(10), "not a picture or video|broken PNG|cannot"),
        "sound.mp4": ((folder / "sound.mp4").read_bytes(), "no video stream"),
    }


def test_what_is_no_clip_is_named(tmp_path):
    (tmp_path / "made").mkdir()
    for name, (content, words) in broken(tmp_path).items():
        path = tmp_path / "made" / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ClipUnreadable, match=words) as refusal:
            read_frames(Clip(path), 4)
        assert str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize(
    ("part", "words"), [((5.0, 4.0), "before it starts"), ((50.0, 52.0), "after the video's end at 4.0 s")]
)
def test_a_part_that_is_not_there(tmp_path, part, words):
    with pytest.raises(ClipUnreadable, match=words):
        read_frames(Clip(write(tmp_path / "film.mp4"), part), 4)


def test_what_lies_before_the_cut_can_still_be_read(tmp_path):
    write(tmp_path / "film.mp4", n=200)
    web = _faststart(tmp_path / "film.mp4")
    (tmp_path / "half.mp4").write_bytes(web[: len(web) // 2])
    assert len(read_frames(Clip(tmp_path / "half.mp4", (0.5, 1.5)), 4)) == 4
