"""Every error that memadvisor raises on purpose.

::

    AdvisorError                what went wrong, and a hint: what to do about it
    ├── UsageError              the command line asks for something impossible
    ├── CaptureError            a source cannot be read: which one, why
    ├── ParseError              one file's text is not what the kernel prints: which file, which line
    ├── ExpressionError         an expression or a message is wrong: where in its text
    ├── RuleError               a rule file is wrong: file, line, column
    ├── PolicyError             a policy file is wrong: file, line, column
    └── Unknown                 a value cannot be known: why, and how to get it (never shown as a failure)

The command line turns each into one clear message and exit code 1; anything else is a bug.
"""

from __future__ import annotations


class AdvisorError(Exception):
    """What went wrong, in one line, and what to do about it.

    Args:
        message: one line, without a full stop, naming the thing at fault.
        hint: what the reader can do; empty when there is nothing to say.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(AdvisorError):
    """The command line asks for something impossible."""


class CaptureError(AdvisorError):
    """A source of samples cannot be read."""


class ParseError(AdvisorError):
    """The text of one file is not what the kernel prints."""


class ExpressionError(AdvisorError):
    """An expression or a message template is wrong at a place of its text.

    Args:
        message: what is wrong.
        text: the whole expression.
        start: offset of the culprit in `text`, counted from 0.
        length: how many characters the culprit has, at least 1.
        hint: what to write instead.
    """

    def __init__(self, message: str, text: str, start: int = 0, length: int = 1, hint: str = "") -> None:
        super().__init__(message, hint)
        self.text = text
        self.start = start
        self.length = max(1, length)


class RuleError(AdvisorError):
    """A rule file is wrong. The message carries file, line, column, and the line itself with a caret."""


class PolicyError(AdvisorError):
    """A policy is wrong. The message carries file, line, column, and the line itself with a caret."""


class Unknown(AdvisorError):  # noqa: N818  (an answer that travels to the finding, not an error)
    """A value cannot be known from this capture.

    Args:
        message: why, for example "/proc/vmstat has no pgscan_direct on this kernel".
        hint: how to get it, for example "run as root".
    """
