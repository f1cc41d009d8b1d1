"""One effect and one answer for each idempotency key: effect and answer are written in the same SQLite transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .call import Call
from .fault import Fault
from .health import Health
from .lookup import Lookup

KEPT = 1_000_000  # answers; older ones are forgotten, so that the table does not grow for ever

_ANSWERS = "CREATE TABLE answers (key TEXT NOT NULL UNIQUE, fingerprint BLOB NOT NULL, answer BLOB NOT NULL)"


class Answers:
    """A SQLite database that also knows what was answered under which key.

    A system behind that is no SQLite database needs the same of its own: an effect and its key kept together, or a way to find an
    effect by its key. Where neither exists, do without look-up: the bus is then told the truth, and asks a person.
    """

    def __init__(self, path: str, schema: str, timeout_s: float) -> None:
        """The file at `path`; `schema` is run once, when it is new. A lock is waited for at most `timeout_s`."""
        self._path = path
        self._schema = schema
        self._timeout_s = timeout_s

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A connection to read by. Where that fails, nothing happened."""
        try:
            database = self._open()
        except sqlite3.Error as error:
            raise Fault.unavailable(f"the database cannot be opened: {_why(error)}") from None
        try:
            yield database
        except sqlite3.Error as error:
            raise Fault.unavailable(f"the database cannot be read: {_why(error)}") from None
        finally:
            database.close()

    def once(self, call: Call, effect: Callable[[sqlite3.Connection], Any]) -> Any:
        """Runs `effect` in a transaction, unless the call's key has an answer, which is given again."""
        with self.connect() as database:
            try:
                database.execute("BEGIN IMMEDIATE")
                answer = self._answered(database, call)
                if answer is None:
                    answer = effect(database)
                    self._keep(database, call, answer)
            except sqlite3.Error as error:
                raise Fault.unavailable(f"the database took nothing: {_why(error)}") from None
            try:
                database.execute("COMMIT")
            except sqlite3.Error as error:
                raise Fault.unknown(f"the database may have taken it: {_why(error)}") from None
            return answer

    def lookup(self, key: str) -> Lookup:
        """What became of the operation under this key. Of no call that is under way: the server sees to that."""
        with self.connect() as database:
            row = database.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        return Lookup.not_done() if row is None else Lookup.done(row["answer"])

    def health(self) -> Health:
        """Whether the database can be read."""
        try:
            with self.connect() as database:
                database.execute("SELECT count(*) FROM sqlite_schema")
            return Health.ready()
        except Fault as fault:
            return Health.down(fault.message)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=self._timeout_s, isolation_level=None)
        try:
            database.row_factory = sqlite3.Row
            if _version(database) == 0:
                _write_ahead(database, self._timeout_s)
                database.execute("BEGIN IMMEDIATE")
                if _version(database) == 0:  # nobody else was faster
                    for statement in _statements(f"{_ANSWERS};\n{self._schema}"):
                        database.execute(statement)
                    database.execute("PRAGMA user_version = 1")
                database.execute("COMMIT")
            return database
        except BaseException:
            database.close()
            raise

    def _answered(self, database: sqlite3.Connection, call: Call) -> Any | None:
        if not call.idempotency_key:
            return None
        row = database.execute("SELECT fingerprint, answer FROM answers WHERE key = ?", (call.idempotency_key,)).fetchone()
        if row is None:
            return None
        if row["fingerprint"] != call.fingerprint:
            raise Fault.invalid("the idempotency key was used for another request; a new operation needs a new key")
        return call.method.response.FromString(row["answer"])

    def _keep(self, database: sqlite3.Connection, call: Call, answer: Any) -> None:
        if call.idempotency_key:
            row = (call.idempotency_key, call.fingerprint, answer.SerializeToString())
            number = database.execute("INSERT INTO answers (key, fingerprint, answer) VALUES (?, ?, ?)", row).lastrowid or 0
            database.execute("DELETE FROM answers WHERE rowid <= ?", (number - KEPT,))


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _write_ahead(database: sqlite3.Connection, timeout_s: float) -> None:
    """Switches to the write-ahead log, so that who reads and who writes do not wait for one another.

    SQLite's own waiting is not for this statement: who switches reads first, and of two that have read neither could go on. So the
    slower one is refused at once, and has to come again.
    """
    end = time.monotonic() + timeout_s
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.005)


def _statements(script: str) -> Iterator[str]:
    """One by one: `executescript` would commit the transaction that they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _why(error: sqlite3.Error) -> str:
    # SQLite's own words can hold values, as of a constraint; the name of the error does not.
    return str(getattr(error, "sqlite_errorname", type(error).__name__))
