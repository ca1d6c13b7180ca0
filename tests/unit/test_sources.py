"""What a source file says for digests, worked out once a run by its content."""

import json
import os

import pytest

from trml.base.errors import StoreError
from trml.base.modules import module_file
from trml.planning import sources


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with modules, and nothing remembered."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "_found", {})
    forget()
    yield tmp_path
    forget()


def forget():
    module_file.cache_clear()
    sources.source.cache_clear()
    sources._known.cache_clear()


def test_what_was_written_down_is_what_is_parsed(folder):
    (folder / "a_module_of_sources.py").write_text('"""Words."""\nimport json\nfrom os import path\nx = 1\n')
    (folder / "work").mkdir()
    parsed = sources.source("a_module_of_sources")
    assert parsed.imports == ("json", "os", "os.path")
    sources.write_down()
    forget()
    assert len(sources._known()) == 1
    assert sources.source("a_module_of_sources") == parsed


@pytest.mark.parametrize("edit", ["x = 2", "import csv"])
def test_an_edit_is_seen_whatever_was_written_down(folder, edit):
    path = folder / "another_module_of_sources.py"
    path.write_text("import json\n")
    before = sources.source("another_module_of_sources")
    sources.write_down()
    forget()
    path.write_text(f"import json\n{edit}\n")
    assert sources.source("another_module_of_sources").form != before.form


STRANGE = ["", "[]", "{", '{"x": 1}', '{"x": ["a"]}', '{"x": ["a", 1]}', "null", "[" * 100_000, "\x00", "5"]


@pytest.mark.parametrize("content", STRANGE)
def test_a_file_with_other_content_is_not_believed(folder, content):
    (folder / "third_module_of_sources.py").write_text("import json\n")
    (folder / "work").mkdir()
    sources.KNOWN.write_text(content)
    assert sources.source("third_module_of_sources").imports == ("json",)
    sources.write_down()
    assert len(json.loads(sources.KNOWN.read_text())) == 1


def test_a_pipe_in_its_place_is_not_waited_for(folder):
    (folder / "fourth_module_of_sources.py").write_text("import json\n")
    (folder / "work").mkdir()
    os.mkfifo(sources.KNOWN)
    assert sources.source("fourth_module_of_sources").imports == ("json",)
    with pytest.raises(StoreError, match=r"sources.json is a named pipe; expected a file to write, or nothing"):
        sources.write_down()
