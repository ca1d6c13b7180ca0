"""Archives made of names and bytes."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any


def tarred(contents: dict[str, bytes | None], mode: str = "w:gz", **header: Any) -> bytes:
    """Return a tar of names and bytes; a name with None is made by `header` alone (link, device)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as file:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content or b"")
            if content is None or content == b"LINK":
                info.size = 0
                for key, value in header.items():
                    setattr(info, key, value)
            file.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def zipped(contents: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED, **attributes: Any) -> bytes:
    """Return a zip of names and bytes, `attributes` set on each entry."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            for key, value in attributes.items():
                setattr(info, key, value)
            file.writestr(info, content)
    return buffer.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, without the lists of the files of inner archives."""
    files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: content for name, content in files.items() if not name.endswith(".members")}
