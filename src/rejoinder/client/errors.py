"""What a call of the client may raise. All are `ClientError`; none carries a password or a text."""

from __future__ import annotations


class ClientError(Exception):
    """Anything that this package raises on its own account."""


class Refused(ClientError):
    """The API said no. `code` is its number (`status` or `messageStatus`), `sentence` its English sentence."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class Unavailable(ClientError):
    """The server could not be reached or took nothing, for as long as `patience` lasted: nothing was done."""


class OutcomeUnknown(ClientError):
    """The answer was lost after the request had left: it may have been carried out. Look before repeating.

    Raised at once by calls that may not be repeated (credits, new accounts), and by sends after `patience`: repeat
    those with the same `client_ref`.
    """


class AnswerNotUnderstood(ClientError):
    """What answered is not this API: another server or proxy. `http_status` is what it said."""

    def __init__(self, http_status: int, sentence: str) -> None:
        super().__init__(http_status, sentence)
        self.http_status = http_status
        self.sentence = sentence

    def __str__(self) -> str:
        return f"HTTP {self.http_status}: {self.sentence}"
