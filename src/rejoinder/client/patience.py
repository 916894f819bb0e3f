"""When a call is tried again and after how long (pure). Refuses to repeat what may have been carried out.

503 and 429 mean that nothing was done, and Retry-After how long to wait; a connection that never came about
means the same. One that broke later leaves the outcome open, and so does a proxy's word that the server behind it gave
no answer, or the server's own that its database went away within the commit: only what may be repeated is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from rejoinder.client.calls import Ask, Effect, answer_of
from rejoinder.client.errors import ClientError, OutcomeUnknown, Refused, Unavailable
from rejoinder.client.values import Answered
from rejoinder.message.codes import MessageError
from rejoinder.message.status import Status

T = TypeVar("T")
log = logging.getLogger("rejoinder.client")
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0
# Beyond this a Retry-After is a mistake of something between us and the server.
LONGEST_OBEYED = 300.0
NOT_TAKEN = frozenset({429, 503})
# Refusals that a repetition may meet though the first try did not, and that come before the look at its clientRef.
MAYBE_SINCE = frozenset(
    {
        Status.SOURCE_NOT_ALLOWED,
        MessageError.SCHEDULED_IN_PAST,
        MessageError.OPTED_OUT,
        MessageError.LOGIN_FAILED,
        MessageError.USER_INACTIVE,
        MessageError.USER_BLOCKED,
        MessageError.PASSWORD_EXPIRED,
        MessageError.INTERNAL_ERROR,
    }
)
# What proxies answer while the server behind them is away, or starts anew.
BEHIND_PROXY = frozenset({502, 504})


class Headers(Protocol):
    """An answer's headers, whichever library read them; names in any case."""

    def get(self, name: str, /) -> str | None: ...


class Timing(Protocol):
    """Where seconds and chance come from, so that tests own both."""

    def monotonic(self) -> float: ...

    def chance(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a try failed. `left`: the request may have reached the server. `after`: seconds it asks us to wait."""

    sentence: str
    left: bool = False
    after: float | None = None


class Tries:
    """The tries of one call."""

    def __init__(self, ask: Ask[Any], patience: float, timing: Timing) -> None:
        self._ask = ask
        self._timing = timing
        self._patience = patience
        self._ends = timing.monotonic() + patience
        self._failed = 0
        # A try is lost whose outcome nobody told.
        self._left = False

    def pause(self, fault: Fault) -> float:
        """Seconds to wait before the next try. Raises Unavailable, OutcomeUnknown."""
        self._left = self._left or fault.left
        if self._left and self._ask.effect is Effect.TWICE:
            raise OutcomeUnknown(f"{self._ask.path}: {fault.sentence}; it may have been carried out")
        growing = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failed, 20))
        # Between half and all of it, so that clients that failed together come back apart.
        pause = growing * (0.5 + self._timing.chance() / 2)
        if fault.after is not None:
            pause = max(pause, min(fault.after, LONGEST_OBEYED))
        self._failed += 1
        if self._timing.monotonic() + pause > self._ends:
            raise self._given_up(fault)
        log.warning("%s: %s; again in %.1f s", self._ask.path, fault.sentence, pause)
        return pause

    def value(self, ask: Ask[T], http_status: int, body: bytes) -> T:
        """What the call answers. Raises Refused, AnswerNotUnderstood, OutcomeUnknown."""
        lost = self._left and ask.effect is Effect.SAME
        try:
            value = answer_of(ask, http_status, body)
            if lost and (late := _too_late(value)) is not None:
                raise late
        except Refused as refused:
            if lost and refused.code in MAYBE_SINCE:
                sentence = f"{ask.path}: a try was lost, and its repetition refused: {refused}"
                raise OutcomeUnknown(sentence) from refused
            raise
        return value

    def _given_up(self, fault: Fault) -> ClientError:
        sentence = f"{self._ask.path}: {fault.sentence}; given up after {self._patience:g} s"
        # An earlier try may have been taken, although the last one was not.
        unknown = self._left and self._ask.effect is not Effect.NONE
        return OutcomeUnknown(sentence) if unknown else Unavailable(sentence)


def _too_late(value: object) -> Refused | None:
    """The refusal of a list whose time is over: it has one scheduleAt for all."""
    for one in value if isinstance(value, list) else ():
        if isinstance(one, Answered) and one.status == MessageError.SCHEDULED_IN_PAST:
            return Refused(one.status, one.error or "")
    return None


def fault_of(http_status: int, headers: Headers) -> Fault | None:
    """Why what came back is no answer to the call; None where it is one."""
    if http_status in BEHIND_PROXY:
        return Fault(f"a proxy got no answer from the server (HTTP {http_status})", left=True)
    if http_status not in NOT_TAKEN:
        return None
    in_doubt = headers.get("Rejoinder-Outcome") == "unknown"
    after = retry_after(headers.get("Retry-After"))
    return Fault(f"the server can't take it now (HTTP {http_status})", left=in_doubt, after=after)


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header; None where it has none or names a date."""
    if value is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    return float(value.strip())


class Rest:
    """How long a poll rests after an empty answer: nothing where the server held it back, else `interval`."""

    def __init__(self, interval: float, monotonic: Callable[[], float]) -> None:
        self._interval = interval
        self._monotonic = monotonic
        self._asked = monotonic()

    def asked(self) -> None:
        self._asked = self._monotonic()

    def seconds(self) -> float:
        return max(0.0, self._asked + self._interval - self._monotonic())
