"""Opens the SQLite database of a journal, migrates it, and reads and writes it in transactions."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, ExceptionContext, Insert, Update, create_engine, event, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.compiler import SQLCompiler

from falcon_bulk.errors import JournalProblem
from falcon_bulk.journal.customer_cids import is_remembered
from falcon_bulk.journal.files import VERSION
from falcon_bulk.journal.migrations import migrate
from falcon_bulk.journal.schema import metadata, schema_version

BUSY_TIMEOUT = 10.0
"""Seconds to wait for another process that writes to the same database."""


class Database:
    """One SQLite file, WAL and synchronous FULL, mode 0600. Safe to use from several threads.

    Raises JournalProblem from any method when the database cannot be read or written, or is of a later version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._writing = False
        try:
            if _was_emptied(path):
                raise JournalProblem(
                    f"The journal {path} is empty, and runs were recorded in it.",
                    "Restore it from a copy. If its runs may be forgotten, remove the file.",
                )
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._engine = create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
            event.listen(self._engine, "begin", self._begin)
            event.listen(self._engine, "handle_error", _keep_connection)
            self._connection = self._engine.connect()
            self._file = _identity(path)
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            raise _unusable(path, error) from None

        try:
            with self.write() as db:
                self._prepare(db)
        except BaseException as error:
            self.close()
            if isinstance(error, msgspec.MsgspecError):
                raise _unusable(path, error) from None
            raise

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()
            self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection whose queries see one state of the database."""
        with self._lock, self._transaction() as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection for one transaction; it is on disk when the block ends.

        Raises JournalProblem if the file is not where it was opened: what is written to it would be lost.
        """
        with self._lock:
            self._check_in_place()
            self._writing = True
            try:
                with self._transaction() as db:
                    yield db
            finally:
                self._writing = False

    def _check_in_place(self) -> None:
        with suppress(OSError):
            if _identity(self.path) == self._file:
                return
        raise JournalProblem(
            f"The journal {self.path} was removed or replaced while it was in use.",
            "Nothing more is sent without it. Find out what removes files from the state folder.",
        )

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            transaction = self._connection.begin()
            yield self._connection
            transaction.commit()
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error | SQLAlchemyError):
                raise _unusable(self.path, error) from None
            raise

    def _roll_back(self) -> None:
        """Leave no transaction open; Ctrl-C between two steps of BEGIN or COMMIT is not rolled back by SQLAlchemy."""
        with suppress(sqlite3.Error, SQLAlchemyError):
            if transaction := self._connection.get_transaction():
                transaction.rollback()
            self._connection.connection.rollback()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _begin(self, connection: Connection) -> None:
        """Begin a transaction explicitly: sqlite3 would begin it at the first write, and a writer must lock at once."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if self._writing else "BEGIN")

    def _prepare(self, db: Connection) -> None:
        """Create the tables of a new journal, or migrate those of an older one."""
        version = stored_version(db)
        if version > VERSION:
            raise JournalProblem(
                f"{self.path} was written by a later version of falcon-bulk.", "Use that version, or a later one."
            )
        if version == VERSION:
            return
        if version:
            migrate(db, version)
        else:
            metadata.create_all(db)
        db.execute(schema_version.delete())
        db.execute(schema_version.insert().values(version=VERSION))
        db.exec_driver_sql(f"PRAGMA user_version={VERSION}")  # so that the first version refuses it


def _identity(path: Path) -> tuple[int, int]:
    """Return what tells a file from another one under the same name. Raises OSError."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _was_emptied(path: Path) -> bool:
    """Return whether the file is empty although its CID is remembered, which happens when a run begins.

    A process that was killed while it created a journal leaves an empty file too, but no CID.
    """
    with suppress(FileNotFoundError):
        return path.stat().st_size == 0 and is_remembered(path.parent, path.stem)
    return False


def _keep_connection(context: ExceptionContext) -> None:
    """Keep the connection after Ctrl-C: SQLAlchemy would open a second one, which waits for the lock of the first."""
    context.is_disconnect = False


def execute_many(db: Connection, statement: Insert | Update, rows: Sequence[dict[str, Any]]) -> None:
    """Execute a statement once for each row; all rows have the same keys, and a value for each of its parameters.

    The rows go straight to the driver: SQLAlchemy would process each of them, which takes as long as SQLite itself.
    """
    if not rows:
        return
    compiled = _compile(statement, db.dialect, tuple(rows[0]))
    if compiled.positiontup is None:
        db.exec_driver_sql(str(compiled), list(rows))
    else:
        db.exec_driver_sql(str(compiled), list(map(itemgetter(*compiled.positiontup), rows)))


@lru_cache(maxsize=32)
def _compile(statement: Insert | Update, dialect: Dialect, keys: tuple[str, ...]) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect, column_keys=keys if statement.is_insert else None)
    assert isinstance(compiled, SQLCompiler)
    return compiled


def stored_version(db: Connection) -> int:
    """Return the schema version of a database; 0 for an empty one."""
    tables = inspect(db).get_table_names()
    user_version = int(db.exec_driver_sql("PRAGMA user_version").scalar_one())
    if schema_version.name in tables:
        return max(user_version, int(db.execute(select(schema_version.c.version)).scalar_one()))
    return user_version or int("runs" in tables)


def _unusable(path: Path, error: Exception) -> JournalProblem:
    reason = getattr(error, "orig", None) or error
    return JournalProblem(
        f"The journal {path} cannot be used: {reason}.",
        "Nothing is sent without it. Check the disk's room and the folder's rights (FALCON_BULK_STATE_DIR).",
    )
