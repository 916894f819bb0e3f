"""The exceptions of the project; each knows its fate: whose fault, which sentence, whether to try again.

Foreign errors are wrapped where they enter (store/, carriers/); no secret, number or text is ever part
of a sentence.
"""

from __future__ import annotations


class RejoinderError(Exception):
    """Root of all errors that are raised on purpose."""

    retryable = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Refused(RejoinderError):
    """The caller's fault: a name that is taken, a value that is none. `parameter` names the culprit."""

    def __init__(self, sentence: str, parameter: str | None = None) -> None:
        super().__init__(sentence)
        self.parameter = parameter


class NotFound(Refused):
    """The named thing does not exist (for this caller)."""


class ConfigInvalid(Refused):
    """A setting is missing, unknown or out of range."""


class Overloaded(RejoinderError):
    """Ours, passing: more is waiting than can be taken in time. Answered 503 with Retry-After.

    `said`: the log knows, so that nobody writes a line for each.
    """

    retryable = True

    def __init__(self, sentence: str, said: bool = False) -> None:
        super().__init__(sentence)
        self.said = said


class Throttled(RejoinderError):
    """The caller's: too much failed. Answered 429; worth another try after so many whole seconds."""

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class StoreUnavailable(RejoinderError):
    """Ours, passing: the database is away, locked or full. Nothing of the transaction was kept."""

    retryable = True


class StoreUnsuitable(RejoinderError):
    """The database can't be used as it is: too new, too old, or not durable. Says what to do."""


class UnknownCommit(StoreUnavailable):
    """The connection broke while COMMIT was under way: the transaction may or may not stand."""
