"""Log lines that cannot hold a person: only listed keys are written."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

ALLOWED: Final = frozenset(
    {"event", "level", "timestamp", "error", "request_id", "count", "port", "process", "version"}
)
_LIBRARIES: Final = ("httpx", "httpcore", "uvicorn", "uvicorn.error", "sqlalchemy", "alembic")


def only_allowed(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops keys that are not listed, and says so."""
    kept = {key: value for key, value in line.items() if key in ALLOWED}
    if len(kept) < len(line):
        kept["error"] = kept.get("error", "a key that may not be logged was dropped")
    return kept


def configure() -> None:
    """Sets up log lines: one JSON object each, on standard error; libraries name types alone."""
    quieten()
    import structlog  # noqa: PLC0415, a tenth of a second that a command need not spend

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def quieten() -> None:
    """Lets libraries log only warnings and errors, as a type."""
    for name in _LIBRARIES:
        logging.getLogger(name).handlers = [_TypesOnly()]
        logging.getLogger(name).propagate = False
        logging.getLogger(name).setLevel(logging.WARNING)


def logger() -> Any:
    """Returns our own logger, set up if it was not."""
    import structlog  # noqa: PLC0415, as above

    if not structlog.is_configured():
        configure()
    return structlog.get_logger()


class _TypesOnly(logging.Handler):
    """A library's warning, as the name of its logger and the type of its exception."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        logger().warning(record.name, error=kind or record.levelname)
