"""A small ledger in SQLite as an adapter of Passerelle: the sample, to be replaced by the system that you connect."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passerelle_adapter import Adapter, Answers, Call, Contract, Fault, Health, Lookup, serve, setting

HERE = Path(__file__).parent
ledger = Contract.load(HERE / "proto", "acme/ledger/v1/ledger.proto")


@dataclass(frozen=True)
class Settings:
    """What the bus's settings may say; the JSON schema of the settings is made of this."""

    database: str = setting("Path of the SQLite file; it is made when it is not there.")
    timeout_ms: int = setting("How long a locked database is waited for, in milliseconds.", default=2_000)


class Ledger(Adapter[Settings]):
    """Each method of the contract is a function here, its name in snake_case: it takes the request and the call."""

    kind = "acme/ledger"
    release = "0.1.0"
    summary = "a small ledger in SQLite"
    contracts = [ledger]
    settings = Settings

    def open(self, endpoint: str, settings: Settings) -> None:
        self.behind = [f"sqlite {settings.database}"]
        self.answers = Answers(settings.database, (HERE / "schema.sql").read_text(), settings.timeout_ms / 1000)

    def health(self) -> Health:
        return self.answers.health()

    def lookup(self, idempotency_key: str) -> Lookup:
        return self.answers.lookup(idempotency_key)

    def post(self, request: Any, call: Call) -> Any:
        if not request.account or not 0 < abs(request.cents) <= 10**12:
            raise Fault.invalid("account must be given, and cents, which is not 0 and is 10^12 at most")
        row = (request.account, request.cents, request.text)

        def insert(database: sqlite3.Connection) -> Any:
            id = database.execute("INSERT INTO postings (account, cents, text) VALUES (?, ?, ?)", row).lastrowid
            return ledger.Posting(id=id, account=request.account, cents=request.cents, text=request.text)

        return self.answers.once(call, insert)

    def read(self, request: Any, call: Call) -> Any:
        with self.answers.connect() as database:
            row = database.execute("SELECT id, account, cents, text FROM postings WHERE id = ?", (request.id,)).fetchone()
        if row is None:
            raise Fault.not_found("there is no posting with this id")
        return ledger.Posting(**row)

    def balance(self, request: Any, call: Call) -> Any:
        with self.answers.connect() as database:
            sums = "SELECT coalesce(sum(cents), 0) AS cents, count(*) AS postings FROM postings WHERE account = ?"
            return ledger.BalanceResponse(**database.execute(sums, (request.account,)).fetchone())

    def list(self, request: Any, call: Call) -> Iterator[Any]:
        with self.answers.connect() as database:
            rows = "SELECT id, account, cents, text FROM postings WHERE account = ? ORDER BY id"
            for row in database.execute(rows, (request.account,)):
                yield ledger.Posting(**row)

    def await_(self, request: Any, call: Call) -> Any:
        end = time.monotonic() + min(request.wait_ms, 60_000) / 1000
        while (now := self.balance(request, call)).postings < request.postings and time.monotonic() < end:
            call.pause(0.05)
        return now


if __name__ == "__main__":
    serve(Ledger())
