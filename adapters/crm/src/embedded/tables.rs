//! The tables: who is known, by which keys he is found, what was done with him, what changed, what was answered. One transaction an effect.

use std::path::Path;
use std::time::SystemTime;

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::customers::v1::find_request::Key as FindKey;
use passerelle_proto::backoffice::customers::v1::{
    AddInteractionRequest, AddInteractionResponse, Change, ChangeKind, ContactKind, CreateRequest, CreateResponse, Customer,
    DeleteRequest, DeleteResponse, Details, Interaction, UpdateRequest, UpdateResponse,
};
use prost::Message;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, TransactionBehavior, params, params_from_iter};

use super::{change, failed, schema};
use crate::checks::dialled;
use crate::driver::{Key, Remembered};
use crate::page::Page;
use crate::wire::{bytes, changed, invalid, not_found, number_taken, row};

/// Answers are kept this long: whoever asks again later than that is taken for somebody new.
const ANSWERS_KEPT_SECONDS: i64 = 30 * 24 * 3600;

/// The tables of one file.
pub(super) struct Tables {
    connection: Connection,
}

impl Tables {
    pub(super) fn open(path: &Path) -> Result<Self, Fault> {
        Ok(Self { connection: schema::open(path)? })
    }

    pub(super) fn remembered(&self, digest: &str) -> Result<Remembered, Fault> {
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?));
        let question = self.connection.prepare_cached("SELECT fingerprint, answer FROM answers WHERE digest = ?1");
        let found = question.and_then(|mut query| query.query_row([digest], read).optional()).map_err(unusable)?;
        Ok(match found {
            None => Remembered::NotDone,
            Some((fingerprint, answer)) => Remembered::Done { fingerprint, answer: answer.into() },
        })
    }

    pub(super) fn find(&self, key: &FindKey, page: &Page) -> Result<Vec<Customer>, Fault> {
        let (after, limit) = (row(&page.after).unwrap_or(0), page.size as i64 + 1);
        let by_key = "SELECT c.customer FROM keys k JOIN customers c ON c.id = k.customer
            WHERE k.kind = ?1 AND k.value = ?2 AND k.customer > ?3 ORDER BY k.customer LIMIT ?4";
        let by = |kind: &str, value: String| all(&self.connection, by_key, &[&kind, &value, &after, &limit]);
        match key {
            FindKey::Email(email) => by("email", email.to_lowercase()),
            FindKey::Phone(phone) => by("phone", dialled(phone)),
            FindKey::ExternalReference(reference) => by(&external(&reference.system), reference.id.clone()),
            FindKey::Number(number) => {
                let question = "SELECT customer FROM customers WHERE number = ?1 AND id > ?2";
                all(&self.connection, question, &[number, &after])
            }
            FindKey::Name(name) => {
                let question = "SELECT customer FROM customers WHERE instr(folded_name, ?1) AND id > ?2 ORDER BY id LIMIT ?3";
                all(&self.connection, question, &[&name.to_lowercase(), &after, &limit])
            }
        }
    }

    pub(super) fn get(&self, id: &str) -> Result<Customer, Fault> {
        get(&self.connection, id)
    }

    pub(super) fn create(&mut self, request: CreateRequest, version: String, key: Option<&Key>) -> Result<CreateResponse, Fault> {
        let now = SystemTime::now();
        let transaction = self.begin()?;
        let details = request.details.unwrap_or_default();
        let taken = |number: &str| {
            let question = transaction.prepare_cached("SELECT 1 FROM customers WHERE number = ?1");
            question.and_then(|mut query| query.exists([number])).map_err(unusable)
        };
        if taken(&request.number)? {
            return Err(number_taken());
        }
        let next = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'customers'";
        let row: i64 = transaction.query_row(next, [], |row| row.get(0)).map_err(unusable)?;
        let mut number = request.number;
        // One that was given by hand may be in the way.
        let mut candidate = row;
        while number.is_empty() {
            let free = format!("{candidate:08}");
            number = if taken(&free)? { String::new() } else { free };
            candidate += 1;
        }
        let (id, changed_at) = (row.to_string(), Some(now.into()));
        let customer = Customer { id, version, number, details: Some(details), active: true, changed_at };
        let answer = CreateResponse { id: customer.id.clone(), version: customer.version.clone() };
        let write = || {
            let insert = "INSERT INTO customers (id, number, folded_name, customer) VALUES (?1, ?2, '', x'')";
            transaction.execute(insert, params![row, customer.number])?;
            save(&transaction, row, &customer)?;
            remember(&transaction, key, &answer, now)
        };
        write().map_err(unusable)?;
        transaction.commit().map_err(lost)?;
        Ok(answer)
    }

    pub(super) fn update(&mut self, request: UpdateRequest, version: String, key: Option<&Key>) -> Result<UpdateResponse, Fault> {
        let now = SystemTime::now();
        let transaction = self.begin()?;
        let (row, found) = expected(&transaction, &request.id, &request.version)?;
        let customer = Customer { version, details: request.details, changed_at: Some(now.into()), ..found };
        let answer = UpdateResponse { version: customer.version.clone() };
        let write = || {
            save(&transaction, row, &customer)?;
            remember(&transaction, key, &answer, now)
        };
        write().map_err(unusable)?;
        transaction.commit().map_err(lost)?;
        Ok(answer)
    }

    pub(super) fn delete(&mut self, request: &DeleteRequest, key: Option<&Key>) -> Result<(), Fault> {
        let now = SystemTime::now();
        let transaction = self.begin()?;
        let (row, found) = expected(&transaction, &request.id, &request.version)?;
        let write = || {
            for statement in [
                "DELETE FROM interactions WHERE customer = ?1",
                "DELETE FROM keys WHERE customer = ?1",
                "DELETE FROM customers WHERE id = ?1",
            ] {
                transaction.execute(statement, [row])?;
            }
            let (kind, at) = (ChangeKind::Deleted.into(), Some(now.into()));
            change::add(&transaction, &Change { customer_id: found.id, kind, version: String::new(), at })?;
            remember(&transaction, key, &DeleteResponse {}, now)
        };
        write().map_err(unusable)?;
        transaction.commit().map_err(lost)
    }

    pub(super) fn add_interaction(
        &mut self,
        request: &AddInteractionRequest,
        key: Option<&Key>,
    ) -> Result<AddInteractionResponse, Fault> {
        let transaction = self.begin()?;
        let (row, _) = expected(&transaction, &request.customer_id, "")?;
        let interaction = request.interaction.clone().unwrap_or_default().encode_to_vec();
        let write = || {
            let insert = "INSERT INTO interactions (customer, interaction) VALUES (?1, ?2)";
            transaction.execute(insert, params![row, interaction])?;
            let answer = AddInteractionResponse { id: transaction.last_insert_rowid().to_string() };
            remember(&transaction, key, &answer, SystemTime::now())?;
            Ok(answer)
        };
        let answer = write().map_err(unusable)?;
        transaction.commit().map_err(lost)?;
        Ok(answer)
    }

    pub(super) fn interactions(&self, customer: &str, page: &Page) -> Result<Vec<Interaction>, Fault> {
        get(&self.connection, customer)?;
        let before = if page.after.is_empty() { i64::MAX } else { row(&page.after).ok_or_else(strange_page)? };
        let rows = || {
            let question = "SELECT id, interaction FROM interactions WHERE customer = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
            let mut query = self.connection.prepare_cached(question)?;
            let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
            query.query_map(params![row(customer), before, page.size as i64 + 1], read)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let interaction = |(id, bytes): (i64, Vec<u8>)| {
            let interaction = Interaction::decode(bytes.as_slice()).map_err(|_| unreadable())?;
            Ok(Interaction { id: id.to_string(), ..interaction })
        };
        rows().map_err(unusable)?.into_iter().map(interaction).collect()
    }

    pub(super) fn changes(&self, cursor: Option<&str>, size: usize) -> Result<(Vec<Change>, String), Fault> {
        change::after(&self.connection, cursor, size)
    }

    fn begin(&mut self) -> Result<Transaction<'_>, Fault> {
        self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unusable)
    }
}

/// Writes a customer, the keys by which he is found, and the change.
fn save(connection: &Connection, row: i64, customer: &Customer) -> rusqlite::Result<()> {
    let none = Details::default();
    let details = customer.details.as_ref().unwrap_or(&none);
    let update = "UPDATE customers SET folded_name = ?2, customer = ?3 WHERE id = ?1";
    connection.execute(update, params![row, details.name.to_lowercase(), customer.encode_to_vec()])?;
    connection.execute("DELETE FROM keys WHERE customer = ?1", [row])?;
    let media = details.contact_media.iter().filter_map(|medium| match medium.kind() {
        ContactKind::Email => Some(("email".to_owned(), medium.value.to_lowercase())),
        ContactKind::Phone | ContactKind::Mobile => Some(("phone".to_owned(), dialled(&medium.value))),
        _ => None,
    });
    let references = details.external_references.iter().map(|reference| (external(&reference.system), reference.id.clone()));
    for (kind, value) in media.chain(references) {
        // Two media may be the same key: a number in two forms.
        connection
            .execute("INSERT OR IGNORE INTO keys (kind, value, customer) VALUES (?1, ?2, ?3)", params![kind, value, row])?;
    }
    let (customer_id, kind) = (customer.id.clone(), ChangeKind::Saved.into());
    change::add(connection, &Change { customer_id, kind, version: customer.version.clone(), at: customer.changed_at })
}

fn external(system: &str) -> String {
    format!("external:{system}")
}

fn remember(connection: &Connection, key: Option<&Key>, answer: &impl Message, now: SystemTime) -> rusqlite::Result<()> {
    let Some(key) = key else { return Ok(()) };
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    connection.execute("DELETE FROM answers WHERE at_seconds < ?1", [now - ANSWERS_KEPT_SECONDS])?;
    let insert = "INSERT INTO answers (digest, fingerprint, answer, at_seconds) VALUES (?1, ?2, ?3, ?4)";
    connection.execute(insert, params![key.digest, key.fingerprint, bytes(answer).as_ref(), now])?;
    Ok(())
}

/// The customer, if he is as expected.
fn expected(connection: &Connection, id: &str, version: &str) -> Result<(i64, Customer), Fault> {
    let customer = get(connection, id)?;
    if !version.is_empty() && version != customer.version {
        return Err(changed());
    }
    Ok((row(id).ok_or_else(not_found)?, customer))
}

fn get(connection: &Connection, id: &str) -> Result<Customer, Fault> {
    let row = row(id).ok_or_else(not_found)?;
    all(connection, "SELECT customer FROM customers WHERE id = ?1", &[&row])?.pop().ok_or_else(not_found)
}

fn all(connection: &Connection, question: &str, values: &[&dyn ToSql]) -> Result<Vec<Customer>, Fault> {
    let rows = || {
        let mut query = connection.prepare_cached(question)?;
        let rows = query.query_map(params_from_iter(values), |row| row.get::<_, Vec<u8>>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let rows = rows().map_err(unusable)?;
    rows.into_iter().map(|bytes| Customer::decode(bytes.as_slice()).map_err(|_| unreadable())).collect()
}

fn strange_page() -> Fault {
    invalid("page_token is none that this CRM gave")
}

fn unusable(error: rusqlite::Error) -> Fault {
    failed("the customers cannot be used", &error)
}

/// A commit that failed may be on disk all the same.
fn lost(error: rusqlite::Error) -> Fault {
    Fault::unknown(format!("the file did not say that it has kept it: {error}"))
}

pub(super) fn unreadable() -> Fault {
    Fault::unknown("the file holds what this program cannot read")
}
