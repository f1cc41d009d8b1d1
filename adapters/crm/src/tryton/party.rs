//! A party as a customer, and what of it is to be written: contact mechanisms are contact media, identifiers are external references.

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::customers::v1::{ContactKind, ContactMedium, Customer, Details, ExternalReference};
use serde_json::{Value, json};

use super::marks;
use super::moment;
use crate::checks::{dialled, is_word};

/// What is read of a party.
pub(super) const FIELDS: [&str; 12] = [
    "code",
    "name",
    "active",
    "create_date",
    "write_date",
    "_timestamp",
    "contact_mechanisms.type",
    "contact_mechanisms.value",
    "contact_mechanisms.active",
    "identifiers.type",
    "identifiers.code",
    "identifiers.create_date",
];
/// The system of an identifier that has neither a type of Tryton's nor a system in its code.
const UNTYPED: &str = "identifier";

/// A party as it was read.
pub(super) struct Party {
    pub(super) row: i64,
    pub(super) customer: Customer,
    /// What Tryton compares to tell whether somebody else has written in between.
    pub(super) timestamp: Value,
    media: Vec<(i64, ContactMedium)>,
    references: Vec<(i64, ExternalReference)>,
    marks: Vec<i64>,
}

impl Party {
    pub(super) fn read(record: &Value) -> Result<Self, Fault> {
        let strange = || Fault::unavailable("Tryton gave a party without id or date");
        let (row, at) = (record["id"].as_i64().ok_or_else(strange)?, moment::of_record(record).ok_or_else(strange)?);
        let text = |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
        let inner = |field: &str| record[field].as_array().into_iter().flatten();
        let media: Vec<_> = inner("contact_mechanisms.")
            .filter_map(|record| {
                let medium = ContactMedium { kind: kind(record["type"].as_str()?).into(), value: text(record, "value") };
                Some((record["id"].as_i64()?, medium))
            })
            .collect();
        let (mut references, mut marks) = (Vec::new(), Vec::new());
        for record in inner("identifiers.") {
            let (Some(id), code) = (record["id"].as_i64(), text(record, "code")) else { continue };
            match (record["type"].as_str(), code.split_once(':')) {
                (None, Some((marks::OWN, _))) => marks.push(id),
                (Some(system), _) if !system.is_empty() => references.push((id, reference(system, &code))),
                (_, Some((system, code))) if is_word(system) => references.push((id, reference(system, code))),
                _ => references.push((id, reference(UNTYPED, &code))),
            }
        }
        marks.sort_unstable();
        let details = Details {
            name: text(record, "name"),
            contact_media: media.iter().map(|(_, medium)| medium.clone()).collect(),
            external_references: references.iter().map(|(_, reference)| reference.clone()).collect(),
        };
        let active = record["active"].as_bool().unwrap_or(record["active"].as_i64() != Some(0));
        let customer = Customer {
            id: row.to_string(),
            version: at.to_string(),
            number: text(record, "code"),
            details: Some(details),
            active,
            changed_at: Some(moment::to_proto(at)),
        };
        Ok(Self { row, customer, timestamp: record["_timestamp"].clone(), media, references, marks })
    }

    /// What must be written so that the party is as `details` say; one write, and so one transaction.
    pub(super) fn changes(&self, details: &Details, mark: Option<String>) -> Value {
        let is_listed = |medium: &ContactMedium| details.contact_media.iter().any(|wanted| same(medium, wanted));
        let is_there = |wanted: &&ContactMedium| !self.media.iter().any(|(_, medium)| same(medium, wanted));
        let gone: Vec<_> = self.media.iter().filter(|(_, medium)| !is_listed(medium)).map(|(id, _)| *id).collect();
        let new: Vec<_> = details.contact_media.iter().filter(is_there).map(mechanism).collect();
        let stays = |found: &ExternalReference| details.external_references.contains(found);
        let mut lost: Vec<i64> = self.references.iter().filter(|(_, found)| !stays(found)).map(|(id, _)| *id).collect();
        let is_known = |wanted: &&ExternalReference| !self.references.iter().any(|(_, found)| found == *wanted);
        let mut found: Vec<_> = details.external_references.iter().filter(is_known).map(identifier).collect();
        if let Some(mark) = mark {
            // The oldest make room.
            lost.extend(self.marks.iter().rev().skip(marks::KEPT - 1));
            found.push(json!({ "code": mark }));
        }
        json!({ "name": details.name, "contact_mechanisms": edits(gone, new), "identifiers": edits(lost, found) })
    }
}

/// A party that is to be made.
pub(super) fn new(number: &str, details: &Details, mark: Option<String>) -> Value {
    let media: Vec<_> = details.contact_media.iter().map(mechanism).collect();
    let mut identifiers: Vec<_> = details.external_references.iter().map(identifier).collect();
    identifiers.extend(mark.map(|mark| json!({ "code": mark })));
    let mut party = json!({
        "name": details.name, "contact_mechanisms": edits(Vec::new(), media), "identifiers": edits(Vec::new(), identifiers),
    });
    if !number.is_empty() {
        party["code"] = json!(number);
    }
    party
}

/// The code under which a reference of no type is kept.
pub(super) fn code(reference: &ExternalReference) -> String {
    format!("{}:{}", reference.system, reference.id)
}

fn edits(gone: Vec<i64>, new: Vec<Value>) -> Value {
    let gone = (!gone.is_empty()).then(|| json!(["delete", gone]));
    let new = (!new.is_empty()).then(|| json!(["create", new]));
    Value::Array(gone.into_iter().chain(new).collect())
}

fn reference(system: &str, id: &str) -> ExternalReference {
    ExternalReference { system: system.to_owned(), id: id.to_owned() }
}

fn identifier(reference: &ExternalReference) -> Value {
    json!({ "code": code(reference) })
}

fn mechanism(medium: &ContactMedium) -> Value {
    let kind = match medium.kind() {
        ContactKind::Phone => "phone",
        ContactKind::Mobile => "mobile",
        ContactKind::Email => "email",
        ContactKind::Fax => "fax",
        ContactKind::Website => "website",
        ContactKind::Unspecified | ContactKind::Other => "other",
    };
    json!({ "type": kind, "value": medium.value })
}

fn kind(name: &str) -> ContactKind {
    match name {
        "phone" => ContactKind::Phone,
        "mobile" => ContactKind::Mobile,
        "email" => ContactKind::Email,
        "fax" => ContactKind::Fax,
        "website" => ContactKind::Website,
        _ => ContactKind::Other,
    }
}

/// Whether two media are one; Tryton may write a number in its own form.
fn same(left: &ContactMedium, right: &ContactMedium) -> bool {
    let number = matches!(left.kind(), ContactKind::Phone | ContactKind::Mobile | ContactKind::Fax);
    left.kind == right.kind && (left.value == right.value || number && dialled(&left.value) == dialled(&right.value))
}
