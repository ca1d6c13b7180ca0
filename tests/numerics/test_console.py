"""What pages show of commands is what these print."""

from console import pages, rendered


def test_output_in_the_docs_is_what_commands_print():
    found = pages()
    assert len(found) >= 2
    for page in found:
        assert rendered(page.read_text()) == page.read_text(), f"{page.name}: run make docs"
