"""The one place that opens a connection. Only `audit` may import it, so no deed goes unrecorded.

SQLite (WAL, synchronous FULL) is the embedded default, with one writer at a time. PostgreSQL is for
more than one machine. Both are used through the same synchronous sessions.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from flagservice.domain.errors import CannotRun

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
_AGAIN = {"40001", "40P01", "55P03"}
"""PostgreSQL's serialization failure, deadlock and lock timeout: the work is done once more."""


_AT_ONCE: Final = 2
"""Units of work of one process on PostgreSQL. Its threads share one interpreter: more units of work
would take it from each other, and hold their locks for longer. There are two, so that one which
waits for a lock does not keep the others waiting. More processes do more at once."""


class UnsafeDatabase(CannotRun):
    """The database would not keep what it acknowledges."""


class Database:
    """One database, by its SQLAlchemy address."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url)

    @contextmanager
    def transaction(self, *, waits: bool = True, at_once: bool = False) -> Iterator[Session]:
        """Opens one unit of work. It commits at the end, or nothing of it stays.

        SQLite has one writer: threads of this process wait here, other processes in its lock. On
        PostgreSQL a unit of work waits for one of a few places. With `waits=False` it does not:
        that is for what is over at once, and must not stand behind a lock. With `at_once`
        everything is read as it was at one moment, as SQLite always does.
        """
        place: AbstractContextManager[Any] = self._turn if self.is_sqlite else self._places
        if not (waits or self.is_sqlite):
            place = nullcontext()
        with place, Session(self.engine, expire_on_commit=False) as session, session.begin():
            if at_once and not self.is_sqlite:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    def upgrade(self) -> None:
        """Brings the schema to the newest migration."""
        with self.engine.begin() as connection:
            if not self.is_sqlite:
                # Two processes that start at once migrate one after the other.
                connection.execute(text("SELECT pg_advisory_xact_lock(4720142)"))
            if _revision(connection) == newest_revision():
                return
            from alembic import command  # noqa: PLC0415, a fifth of a second that few starts need

            command.upgrade(_migrations(connection), "head")

    def check_schema(self) -> None:
        """Raises where the tables in code and the migrations differ."""
        from alembic import command  # noqa: PLC0415, as above

        with self.engine.begin() as connection:
            command.check(_migrations(connection))

    def check_durable(self) -> None:
        """Raises UnsafeDatabase where a commit would not survive a crash."""
        with self.engine.connect() as connection:
            if self.is_sqlite:
                unsafe = connection.execute(text("PRAGMA synchronous")).scalar_one() < 2
            else:
                settings = ("fsync", "synchronous_commit", "full_page_writes")
                unsafe = any(
                    connection.execute(text(f"SHOW {name}")).scalar_one() == "off"
                    for name in settings
                )
        if unsafe:
            raise UnsafeDatabase("the database is set to lose acknowledged commits in a crash")

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()


def newest_revision() -> str:
    """Returns the newest migration's revision: what its file's name begins with."""
    return max(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    """Returns the revision that the schema has, if it has any."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrations(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415, as above

    # Alembic would print to whatever standard output was when it was first imported.
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def may_be_done_again(wrong: DBAPIError) -> bool:
    """Returns whether the work lost a race, and may be done once more."""
    if isinstance(wrong, IntegrityError):
        return True
    state = getattr(wrong.orig, "sqlstate", None)
    return state in _AGAIN or "database is locked" in str(wrong.orig)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins; see _begin
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16384",  # 16 MB: two would be read again from page to page
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(url: str) -> Engine:
    return create_engine(
        url,
        pool_size=10,
        max_overflow=5,
        pool_pre_ping=True,
        connect_args={"options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"},
    )
