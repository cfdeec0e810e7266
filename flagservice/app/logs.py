"""Log lines that cannot hold a person: a list of keys that are allowed, and no others."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

ALLOWED: Final = frozenset(
    {"event", "level", "timestamp", "error", "request_id", "count", "port", "process", "version"}
)


def only_allowed(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whatever is not on the list is dropped, and that it was is said."""
    kept = {key: value for key, value in line.items() if key in ALLOWED}
    if len(kept) < len(line):
        kept["error"] = kept.get("error", "a key that may not be logged was dropped")
    return kept


def configure() -> None:
    """One JSON line each, on standard error; libraries say only what is wrong, as a type."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    for name in ("httpx", "httpcore", "uvicorn", "uvicorn.error", "sqlalchemy", "alembic"):
        logging.getLogger(name).handlers = [_TypesOnly()]
        logging.getLogger(name).propagate = False
        logging.getLogger(name).setLevel(logging.WARNING)


class _TypesOnly(logging.Handler):
    """A library's warning, as the name of its logger and the type of its exception."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().warning(record.name, error=kind or record.levelname)
