"""What the operator sees: metrics, and log lines as JSON without texts, numbers or passwords.

Every metric is declared here with its help text. Log events are fixed words with ids and counts;
`redact` is the last line of defence: it drops every key that is not known to be harmless.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

REGISTRY = CollectorRegistry()

MT_ACCEPTED = Counter("rejoinder_mt_accepted", "MTs accepted and stored", registry=REGISTRY)
MT_REFUSED = Counter(
    "rejoinder_mt_refused", "MTs refused at submission, by code", ["code"], registry=REGISTRY
)
MT_FINISHED = Counter(
    "rejoinder_mt_finished", "MTs that reached a final status, by its word", ["status"], registry=REGISTRY
)
PARTS_SENT = Counter(
    "rejoinder_parts_sent", "Parts handed to carriers, by fate", ["carrier", "fate"], registry=REGISTRY
)
MT_RESENT = Counter("rejoinder_mt_resent", "MTs sent again after an unknown outcome", registry=REGISTRY)
MT_MOVED = Counter(
    "rejoinder_mt_moved", "MTs given to another carrier because theirs was down", registry=REGISTRY
)
RECEIPTS = Counter("rejoinder_receipts", "Receipts taken, by what was found", ["found"], registry=REGISTRY)
MO_STORED = Counter(
    "rejoinder_mo_stored",
    "MOs stored in a mailbox, by whether they answer a message",
    ["linked"],
    registry=REGISTRY,
)
MO_PARKED = Counter("rejoinder_mo_parked", "MOs parked for the operator", registry=REGISTRY)
MO_REPEATED = Counter("rejoinder_mo_repeated", "MOs delivered again, and stored once", registry=REGISTRY)
PAIRS_REUSED = Counter(
    "reply_pairs_reused", "Messages that took a pool number again within the reply window", registry=REGISTRY
)
OPT_OUTS = Counter(
    "rejoinder_opt_outs", "MOs that opt out, or take it back, by direction", ["direction"], registry=REGISTRY
)
PUSHES_DELIVERED = Counter(
    "rejoinder_pushes_delivered",
    "Pushes that customers' servers took, by channel",
    ["channel"],
    registry=REGISTRY,
)
PUSHES_FAILED = Counter(
    "rejoinder_pushes_failed", "Tries of pushes that failed, by channel", ["channel"], registry=REGISTRY
)
PUSHES_PARKED = Counter(
    "rejoinder_pushes_parked", "Pushes given up until they are replayed", registry=REGISTRY
)
PUSHES_QUEUED = Gauge(
    "rejoinder_pushes_queued",
    "Pushes in the queue: waiting to be brought, parked, or to be pulled over SMPP",
    ["state"],
    registry=REGISTRY,
)
PUSH_BREAKERS = Gauge(
    "rejoinder_push_breakers_open", "Targets of pushes that are left alone at the moment", registry=REGISTRY
)
LOGINS_FAILED = Counter(
    "rejoinder_logins_failed", "Calls with an unknown user or a wrong password", registry=REGISTRY
)
LOGINS_THROTTLED = Counter(
    "rejoinder_logins_throttled", "Log-ins refused unheard after too many failed ones", registry=REGISTRY
)
SEALS = Counter("rejoinder_mailbox_seals", "Polls that had to seal a second on disk", registry=REGISTRY)
QUEUE = Gauge("rejoinder_queue", "MTs waiting in the outbox, by carrier", ["carrier"], registry=REGISTRY)
CARRIER_UP = Gauge("rejoinder_carrier_up", "1 while the carrier's link works", ["carrier"], registry=REGISTRY)
CARRIER_INFO = Gauge(
    "rejoinder_carrier_info",
    "1; how the carrier's link stands and what went wrong last, in words",
    ["carrier", "state", "last_error"],
    registry=REGISTRY,
)
CARRIER_WINDOW = Gauge(
    "rejoinder_carrier_window",
    "MTs that may be under way at the carrier now",
    ["carrier"],
    registry=REGISTRY,
)
CARRIER_UNDER_WAY = Gauge(
    "rejoinder_carrier_under_way", "MTs under way at the carrier", ["carrier"], registry=REGISTRY
)
CARRIER_RATE = Gauge(
    "rejoinder_carrier_rate",
    "Parts a second that the carrier accepted in the last second",
    ["carrier"],
    registry=REGISTRY,
)
HTTP_ANSWERS = Counter(
    "rejoinder_http_answers", "HTTP answers, by path and status", ["path", "status"], registry=REGISTRY
)
OVERLOADED = Counter(
    "rejoinder_overloaded",
    "Submissions refused because more was under way than can be stored in time",
    registry=REGISTRY,
)
TASKS = Gauge("rejoinder_tasks", "Tasks of the event loop when this was asked for", registry=REGISTRY)
SQLITE_MEMORY = Gauge(
    "rejoinder_sqlite_bytes",
    "Memory that SQLite uses: mostly the two page caches, of 32 MB each at most",
    registry=REGISTRY,
)
SMPP_CONNECTIONS = Gauge(
    "rejoinder_smpp_connections", "Connections to the SMPP server, bound or not", registry=REGISTRY
)
SMPP_BINDS = Gauge("rejoinder_smpp_binds", "Binds to the SMPP server, by kind", ["kind"], registry=REGISTRY)
SMPP_BINDS_REFUSED = Counter(
    "rejoinder_smpp_binds_refused",
    "Binds that were refused, by command status",
    ["status"],
    registry=REGISTRY,
)
SMPP_REQUESTS = Counter(
    "rejoinder_smpp_requests",
    "Requests of bound customers, by command and the status of their answer",
    ["command", "status"],
    registry=REGISTRY,
)
SMPP_DELIVERIES = Counter(
    "rejoinder_smpp_deliveries",
    "Receipts and MOs at customers' sessions: acknowledged, refused for good, refused for now, unanswered, or without "
    "the text that retention took",
    ["kind", "fate"],
    registry=REGISTRY,
)

# Keys that may stand in a log line. Whatever else a careless line carries is replaced by its absence.
_HARMLESS = frozenset(
    """
    event level timestamp logger error error_type sentence count carrier kind path status seconds address version
    database mt_id mo_id id user_id customer_id carrier_id attempt reason state code signal task trace
    """.split()  # noqa: SIM905  # reads as what it is: words
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops every key that is not known to be harmless."""
    for key in [key for key in event if key not in _HARMLESS]:
        event[key] = "(not logged)"
    return event


def _frames(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A traceback as places only: messages and values of foreign exceptions may hold texts."""
    failed = event.pop("exc_info", None)
    if failed is True:
        failed = sys.exc_info()[1]
    if isinstance(failed, BaseException):
        event["error_type"] = type(failed).__name__
        places, step = [], failed.__traceback__
        while step is not None:
            places.append(f"{step.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{step.tb_lineno}")
            step = step.tb_next
        event["trace"] = " > ".join(places[-12:])
    return event


def configure_logging(level: str = "info") -> None:
    """JSON lines on stderr, our own and the libraries' warnings alike."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _frames,
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(_Stderr()),  # type: ignore[arg-type]  # all that print() needs
        cache_logger_on_first_use=True,
    )
    # Libraries' own lines may quote a request: only that something happened is passed on.
    logging.basicConfig(handlers=[_ForeignLines()], level=logging.WARNING, force=True)


class _Stderr:
    """stderr as it is when a line is written. A line that can't be written (a full disk, a closed pipe) is dropped: who
    logs has an answer to give.
    """

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


class _ForeignLines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.warning("library_warning", kind=record.name, error_type=error)


log: structlog.stdlib.BoundLogger = structlog.get_logger()
