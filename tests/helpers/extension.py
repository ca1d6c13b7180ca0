"""An extension package below a temporary folder, found by the scans of this process."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trml.base.modules import extensions, module_file
from trml.missing import registry


@contextmanager
def extension(folder: Path, files: Mapping[str, str], name: str = "trml_scratch") -> Iterator[Path]:
    """Yield a package that holds these files (path inside it -> text); it is forgotten afterwards."""
    package = folder / name
    for path, text in files.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    (package / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    _forget()
    try:
        yield package
    finally:
        sys.path.remove(str(folder))
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]
        _forget()


def _forget() -> None:
    for cached in (extensions, module_file, registry.known_patterns, registry._found):
        cached.cache_clear()
