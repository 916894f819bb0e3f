"""How an account call is refused: the code of contract §1, a sentence, the parameter.

Message calls have their own (`MessageRefused`, request.py): the two families are never mixed.
"""

from __future__ import annotations

from rejoinder.errors import Refused


class CallRefused(Refused):
    """An account call ends with this status and sentence."""

    def __init__(self, status: int, sentence: str, parameter: str | None = None) -> None:
        super().__init__(sentence, parameter)
        self.status = int(status)
