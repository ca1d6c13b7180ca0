"""What can go wrong in a way the user can mend. One class per kind of failure.

Every message says what was found, what was expected and, where there is one, the next command.
"""


class TrmlError(Exception):
    """Base of all errors that end in one clear message instead of a traceback."""


class ConfigError(TrmlError):
    """The configuration has an unknown key, a wrong type or an impossible value."""


class DataMissing(TrmlError):
    """A raw file of a corpus is not where it is expected."""


class TermsNotAccepted(TrmlError):
    """A corpus has terms that the user has not accepted."""


class FetchFailed(TrmlError):
    """A file could not be fetched from any of its mirrors, or is not what it should be."""


class ArchiveRefused(TrmlError):
    """An archive is damaged, or holds what no archive of a corpus holds."""


class PickleRefused(TrmlError):
    """A pickle asks for more than arrays and plain containers."""


class ClipUnreadable(TrmlError):
    """A clip cannot be decoded; the reason in a few words."""


class WeightsMissing(TrmlError):
    """The weights of an encoder cannot be had."""


class PretrainingFailed(TrmlError):
    """The retrieval of a pretrained encoder stayed under its bar."""


class Interrupted(TrmlError):
    """The process was asked to stop; what is finished is kept."""


class ContractError(TrmlError):
    """A file between two stages does not hold to its contract."""


class StoreError(TrmlError):
    """Something the store should hold is absent or damaged."""
