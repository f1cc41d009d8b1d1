//! A small ledger in SQLite as an adapter of Passerelle: the sample, to be replaced by the system that you connect.

use contract::{AwaitRequest, BalanceRequest, BalanceResponse, ListRequest, PostRequest, Posting, ReadRequest};
use passerelle_adapter_typed::{Adapter, Answers, Call, Fault, Health, LookUp, OpenError, Responses, require, serve};
use std::time::Duration;
include!(concat!(env!("OUT_DIR"), "/contract.rs")); // by build.rs: messages, and a trait with a function for each method

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Settings {
    /// Path of the SQLite file; it is made when it is not there.
    database: String,
}

struct Ledger(Answers);
impl Adapter for Ledger {
    type Settings = Settings;
    const KIND: &'static str = "acme/ledger";
    const BEHIND: fn(&Self) -> String = |ledger| format!("sqlite {}", ledger.0.path().display());
    const HEALTH: fn(&Self) -> Health = |ledger| ledger.0.health();
    const LOOK_UP: Option<LookUp<Self>> = Some(|ledger, key| ledger.0.lookup(key));
    fn open(_endpoint: &str, settings: Settings) -> Result<Self, OpenError> {
        Ok(Self(Answers::new(settings.database, include_str!("../schema.sql"), Duration::from_secs(2))))
    }
}

impl contract::Ledger for Ledger {
    fn post(&self, PostRequest { account, cents, text }: PostRequest, call: &Call) -> Result<Posting, Fault> {
        require(!account.is_empty() && matches!(cents.unsigned_abs(), 1..=1_000_000_000_000), "account or cents out of range")?;
        let insert = "INSERT INTO postings (account, cents, text) VALUES (?1, ?2, ?3) RETURNING id, account, cents, text";
        self.0.once(call, |database| Ok(database.query_row(insert, (account, cents, text), posting)?))
    }

    fn read(&self, request: ReadRequest, _: &Call) -> Result<Posting, Fault> {
        self.0.row("SELECT id, account, cents, text FROM postings WHERE id = ?1", [request.id], posting)
    }

    fn balance(&self, request: BalanceRequest, _: &Call) -> Result<BalanceResponse, Fault> {
        let sums = "SELECT coalesce(sum(cents), 0), count(*) FROM postings WHERE account = ?1";
        self.0.row(sums, [request.account], |row| Ok(BalanceResponse { cents: row.get(0)?, postings: row.get(1)? }))
    }

    fn list(&self, request: ListRequest, _: &Call, responses: Responses<Posting>) -> Result<(), Fault> {
        let query = "SELECT id, account, cents, text FROM postings WHERE account = ?1 ORDER BY id";
        self.0.rows(query, [request.account], posting, |posting| responses.send(posting))
    }

    fn r#await(&self, request: AwaitRequest, call: &Call) -> Result<BalanceResponse, Fault> {
        let wait = Duration::from_millis(request.wait_ms.clamp(0, 60_000).unsigned_abs());
        let ask = || self.balance(BalanceRequest { account: request.account.clone() }, call);
        call.poll(wait, ask, |now| now.postings >= request.postings)
    }
}

fn posting(row: &rusqlite::Row<'_>) -> rusqlite::Result<Posting> {
    Ok(Posting { id: row.get(0)?, account: row.get(1)?, cents: row.get(2)?, text: row.get(3)? })
}

fn main() -> std::process::ExitCode {
    serve(env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION"), vec![contract::contract::<Ledger>()])
}
