//! The driver `tryton`: customers are parties of a Tryton server, asked by JSON-RPC.
//!
//! One call is one transaction of the server's: it holds an effect and the mark by which it is known again. Versions are the dates of writing;
//! that nobody comes in between is made sure of by Tryton itself (`_timestamp`), where that is fine enough.

mod changes;
mod find;
mod marks;
mod moment;
mod note;
mod party;
mod rpc;
mod server;

use std::path::Path;
use std::time::Duration;

use passerelle_adapter::{Fault, Health, Rejection, Secrets, async_trait};
use passerelle_proto::backoffice::customers::v1::find_request::Key as FindKey;
use passerelle_proto::backoffice::customers::v1::{
    AddInteractionRequest, AddInteractionResponse, Change, Completeness, CreateRequest, CreateResponse, Customer, Interaction,
    UpdateRequest, UpdateResponse,
};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use self::marks::Sent;
use self::party::Party;
use self::rpc::{Rpc, Sort};
use self::server::Server;
use crate::driver::{Abilities, Driver, Key, Remembered};
use crate::file::TrytonSettings;
use crate::page::Page;
use crate::wire::{changed, invalid, not_found, number_taken, row};

/// An operation whose answer was lost is asked about again after this long.
const RETRY_WHEN_AT_WORK: Duration = Duration::from_secs(1);
/// Customers that are changed at a time, at most; two of them may have to wait for each other.
const WRITERS: usize = 64;

/// Customers in a Tryton server.
pub(crate) struct Tryton {
    rpc: Rpc,
    url: String,
    settle: Duration,
    abilities: OnceCell<Abilities>,
    sent: Sent,
    /// Tryton compares `_timestamp` and writes then. On PostgreSQL its isolation closes the gap; on SQLite two writers can both win, so those of
    /// this adapter go one after the other.
    writers: [Mutex<()>; WRITERS],
}

impl Tryton {
    /// `path` is the integrator's file.
    pub(crate) fn new(path: &Path, settings: &TrytonSettings, secrets: &dyn Secrets) -> Result<Self, String> {
        let find = |what: &str, reference| secrets.find(reference).map_err(|error| format!("tryton.credentials.{what}: {error}"));
        let (user, password) = (find("user", &settings.credentials.user)?, find("password", &settings.credentials.password)?);
        Ok(Self {
            rpc: Rpc::new(Server::new(path, settings)?, user, password),
            url: format!("{} database {}", settings.url, settings.database),
            settle: Duration::from_millis(settings.settle_ms.into()),
            abilities: OnceCell::new(),
            sent: Sent::default(),
            writers: [const { Mutex::const_new(()) }; WRITERS],
        })
    }

    async fn probe(&self) -> Result<Abilities, Fault> {
        let domain = json!([["name", "=", "party"], ["state", "in", ["activated", "to upgrade"]]]);
        let module = self.rpc.read("model.ir.module.search_read", json!([domain, 0, 1, null, ["version"], {}])).await?;
        let Some(version) = module[0]["version"].as_str() else {
            return Err(Fault::unavailable(format!("{}: the module party is not activated", self.rpc.server.address)));
        };
        // Languages are in every database, written at moments with microseconds: does what Tryton compares have them too?
        let fields = json!(["create_date", "write_date", "_timestamp"]);
        let records = self.rpc.read("model.ir.lang.search_read", json!([[], 0, 20, null, fields, {}])).await?;
        let mut records = records.as_array().into_iter().flatten();
        let fine = |record: &Value| {
            let fraction = record["_timestamp"].as_str().and_then(|stamp| stamp.split_once('.')).map(|(_, fraction)| fraction);
            moment::of_record(record).is_some_and(|at| at % 1_000_000 != 0) && fraction.is_some_and(|fraction| fraction.len() > 2)
        };
        let preconditions = records.any(fine);
        let product = format!("tryton party {version}");
        Ok(Abilities { product, preconditions, deletes: false, changes: Completeness::NoDeletes })
    }

    async fn parties(&self, domain: Value, limit: usize, context: Value) -> Result<Vec<Party>, Fault> {
        let parameters = json!([domain, 0, limit, [["id", "ASC"]], party::FIELDS, context]);
        let records = self.rpc.read("model.party.party.search_read", parameters).await?;
        records.as_array().into_iter().flatten().map(Party::read).collect()
    }

    async fn party(&self, id: &str) -> Result<Party, Fault> {
        let row = row(id).ok_or_else(not_found)?;
        let found = self.parties(json!([["id", "=", row]]), 1, json!({ "active_test": false })).await?;
        found.into_iter().next().ok_or_else(not_found)
    }

    async fn has_number(&self, number: &str) -> Result<bool, Fault> {
        let parameters = json!([[["code", "=", number]], 0, 1, null, { "active_test": false }]);
        let found = self.rpc.read("model.party.party.search", parameters).await?;
        Ok(found.as_array().is_some_and(|found| !found.is_empty()))
    }

    /// An effect. Until it is answered, or if its answer is lost, the server may be at work on it.
    async fn effect(&self, method: &str, parameters: Value, key: Option<&Key>) -> Result<Value, Fault> {
        self.sent.note(key);
        let answered = self.rpc.call(method, parameters, Sort::Effect).await;
        if !matches!(answered, Err(Fault::Unknown { .. })) {
            self.sent.answered(key);
        }
        answered.map(|answered| answered.result)
    }

    /// The version after an effect. Without it the answer is not known, though the effect happened.
    async fn version(&self, id: &str) -> Result<String, Fault> {
        let read = self.party(id).await.map(|party| party.customer.version);
        read.map_err(|fault| Fault::unknown(format!("it is done, but its version could not be read: {fault}")))
    }
}

#[async_trait]
impl Driver for Tryton {
    fn name(&self) -> &'static str {
        "tryton"
    }

    fn behind(&self) -> String {
        format!("tryton {}", self.url)
    }

    async fn abilities(&self) -> Result<Abilities, Fault> {
        self.abilities.get_or_try_init(|| self.probe()).await.cloned()
    }

    async fn remembered(&self, digest: &str) -> Result<Remembered, Fault> {
        let remembered = marks::remembered(&self.rpc, digest).await?;
        if remembered == Remembered::NotDone && self.sent.may_be_at_work(digest, self.rpc.server.answer_timeout) {
            let message = "the server may still be at work on the first try under this key".to_owned();
            return Err(Fault::Unavailable { retry_after: Some(RETRY_WHEN_AT_WORK), message });
        }
        Ok(remembered)
    }

    async fn find(&self, key: FindKey, page: Page) -> Result<Vec<Customer>, Fault> {
        let (mut found, mut after) = (Vec::new(), row(&page.after).unwrap_or(0));
        loop {
            let domain = json!([find::domain(&key), ["id", ">", after]]);
            let parties = self.parties(domain, page.size + 1, json!({})).await?;
            let last = parties.last().map(|party| party.row).filter(|_| parties.len() > page.size);
            found.extend(parties.into_iter().map(|party| party.customer).filter(|customer| find::fits(&key, customer)));
            match last {
                Some(last) if found.len() <= page.size => after = last,
                _ => break,
            }
        }
        found.truncate(page.size + 1);
        Ok(found)
    }

    async fn get(&self, id: &str) -> Result<Customer, Fault> {
        self.party(id).await.map(|party| party.customer)
    }

    async fn create(&self, request: CreateRequest, key: Option<Key>) -> Result<CreateResponse, Fault> {
        if !request.number.is_empty() && self.has_number(&request.number).await? {
            return Err(number_taken());
        }
        let mark = key.as_ref().map(|key| marks::code(key, "create"));
        let party = party::new(&request.number, &request.details.unwrap_or_default(), mark);
        let made = self.effect("model.party.party.create", json!([[party], {}]), key.as_ref()).await;
        let made = match made {
            // Somebody was faster; Tryton's own text would be in the user's language.
            Err(Fault::Rejected { reason: Rejection::Precondition, .. })
                if !request.number.is_empty() && self.has_number(&request.number).await? =>
            {
                return Err(number_taken());
            }
            made => made?,
        };
        let id = made[0].as_i64().ok_or_else(|| Fault::unknown("Tryton did not say whom it made"))?.to_string();
        let version = self.version(&id).await?;
        Ok(CreateResponse { id, version })
    }

    async fn update(&self, request: UpdateRequest, key: Option<Key>) -> Result<UpdateResponse, Fault> {
        let row = row(&request.id).ok_or_else(not_found)?;
        let _alone = self.writers[row as usize % WRITERS].lock().await;
        let party = self.party(&request.id).await?;
        if !request.version.is_empty() && request.version != party.customer.version {
            return Err(changed());
        }
        let mark = key.as_ref().map(|key| marks::code(key, "update"));
        let values = party.changes(&request.details.unwrap_or_default(), mark);
        // What is removed was read before: always compared, so that nothing is taken away that nobody has seen.
        let context = json!({ "_timestamp": { format!("party.party,{}", party.row): party.timestamp } });
        let written = self.effect("model.party.party.write", json!([[party.row], values, context]), key.as_ref()).await;
        match written {
            Err(Fault::Rejected { reason: Rejection::Precondition, message }) => {
                // Removed meanwhile?
                self.party(&request.id).await?;
                return Err(Fault::rejected(Rejection::Precondition, message));
            }
            written => drop(written?),
        }
        Ok(UpdateResponse { version: self.version(&request.id).await? })
    }

    async fn add_interaction(&self, request: AddInteractionRequest, key: Option<Key>) -> Result<AddInteractionResponse, Fault> {
        let party = self.party(&request.customer_id).await?;
        let message = note::write(&request.interaction.unwrap_or_default(), key.as_ref());
        let note = json!({ "resource": format!("party.party,{}", party.row), "message": message });
        let made = self.effect("model.ir.note.create", json!([[note], {}]), key.as_ref()).await?;
        let id = made[0].as_i64().ok_or_else(|| Fault::unknown("Tryton did not say which note it made"))?;
        Ok(AddInteractionResponse { id: id.to_string() })
    }

    async fn interactions(&self, customer: &str, page: Page) -> Result<Vec<Interaction>, Fault> {
        let party = self.party(customer).await?;
        let mut domain = vec![json!(["resource", "=", format!("party.party,{}", party.row)])];
        if !page.after.is_empty() {
            let before = row(&page.after).ok_or_else(|| invalid("page_token is none that this CRM gave"))?;
            domain.push(json!(["id", "<", before]));
        }
        let parameters = json!([domain, 0, page.size + 1, [["id", "DESC"]], ["message", "create_date"], {}]);
        let notes = self.rpc.read("model.ir.note.search_read", parameters).await?;
        Ok(notes.as_array().into_iter().flatten().filter_map(note::read).collect())
    }

    async fn changes(&self, cursor: Option<String>, size: usize) -> Result<(Vec<Change>, String), Fault> {
        changes::after(&self.rpc, cursor.as_deref(), size, self.settle).await
    }

    async fn health(&self) -> Health {
        let asked = async {
            self.abilities().await?;
            self.rpc.read("model.party.party.search", json!([[["id", "=", 0]], 0, 1, null, {}])).await
        };
        match asked.await {
            Ok(_) => Health::Ready,
            Err(fault) => Health::Down { reason: fault.to_string() },
        }
    }
}
