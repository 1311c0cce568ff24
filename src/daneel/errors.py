"""What a user may see.

    DaneelError            one clear line, exit code 1: the input named, and the remedy
    ├── UsageError         the call itself is wrong, exit code 2
    ├── DataError          a file or corpus cannot be used
    ├── ModelError         a model cannot be found, read or run
    └── TrainingError      a run cannot start, go on or be resumed

Anything else that reaches the command line is a bug of ours and keeps its traceback.
"""


class DaneelError(Exception):
    """A mistake the user can mend; the message names the input and the remedy."""

    exit_code = 1


class UsageError(DaneelError):
    """The command or call itself is wrong."""

    exit_code = 2


class DataError(DaneelError):
    """A file or corpus cannot be used."""


class ModelError(DaneelError):
    """A model cannot be found, read or run."""


class TrainingError(DaneelError):
    """A run cannot start, go on or be resumed."""
