"""Words of a printed command, through a shell: they come out as they went in, and nothing of them runs."""

import subprocess

from trml.base.printable import shell_word

WORDS = [
    "plain",
    "it's",
    'a b"c',
    "$(touch x)",
    "`touch x`",
    "a\nb",
    "\x1b[2J",
    "tab\t",
    "\\x41",
    "\\",
    "$'",
    "é\u202e",
    "\u200b'\\",
]


def test_a_shell_reads_back_what_is_printed(tmp_path):
    script = "printf '%s\\0' " + " ".join(map(shell_word, WORDS))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == WORDS
    assert not list(tmp_path.iterdir())
