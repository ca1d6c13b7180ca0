"""Errors that a user can fix, one class a kind of failure.

The command line prints their message without a traceback. A message says what is wrong, where, what was expected, and
which command comes next; the class says which exit code it ends with (cli/ending.py). Messages often quote files, so
they are made printable here, for every place that shows them.
"""

from trml.base.printable import printable


class TrmlError(Exception):
    """Base of all errors that a user can fix.

    Args:
        what: What is wrong, and where.
        expected: What was expected instead.
        command: The command to run next.
    """

    def __init__(self, what: str = "", *, expected: str = "", command: str = "") -> None:
        self.what, self.expected, self.command = printable(what), printable(expected), printable(command)
        words = "; expected ".join(filter(None, (self.what, self.expected)))
        super().__init__(words + (f". Next: {self.command}" if command else ""))


class ConfigError(TrmlError):
    """The configuration has an unknown key, a wrong type or an impossible value."""


class CommandError(TrmlError):
    """The command line names something that does not exist, or asks for what does not go together."""


class NotBuilt(TrmlError):
    """A file that an earlier stage makes, or the folder to write to, is absent."""


class DataMissing(TrmlError):
    """A raw file of a corpus is absent."""


class TermsNotAccepted(TrmlError):
    """The user has not accepted a corpus's terms."""


class FetchFailed(TrmlError):
    """No mirror served a file, or its checksum or size is wrong."""


class ArchiveRefused(TrmlError):
    """An archive is damaged, or contains members that are not allowed."""


class PickleRefused(TrmlError):
    """A pickle needs more than arrays and plain containers."""


class ClipUnreadable(TrmlError):
    """A clip cannot be decoded."""


class WeightsMissing(TrmlError):
    """The weights of an encoder cannot be loaded."""


class PretrainingFailed(TrmlError):
    """A pretrained encoder stayed below its retrieval bar."""


class Interrupted(TrmlError):
    """The process was asked to stop. Finished work is kept."""


class ContractError(TrmlError):
    """A file between two stages violates its contract."""


class StoreError(TrmlError):
    """A file of work/ is absent or damaged."""


class PackageMissing(TrmlError):
    """A Python package that an extra of trml brings is not installed."""
