//! A key as Tryton's search language says it, and the last word on whom it fits: patterns find too many.

use passerelle_proto::backoffice::customers::v1::find_request::Key as FindKey;
use passerelle_proto::backoffice::customers::v1::{ContactKind, Customer};
use serde_json::{Value, json};

use super::party;
use crate::checks::dialled;

/// Whom to look at.
pub(super) fn domain(key: &FindKey) -> Value {
    match key {
        FindKey::Number(number) => json!(["code", "=", number]),
        FindKey::Name(name) => json!(["name", "ilike", format!("%{name}%")]),
        FindKey::Email(email) => json!(["contact_mechanisms", "where", [["type", "=", "email"], ["value", "ilike", email]]]),
        FindKey::Phone(phone) => {
            // However it is spaced: anything may stand between two digits.
            let pattern = dialled(phone).chars().fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"));
            json!(["contact_mechanisms", "where", [["type", "in", ["phone", "mobile"]], ["value", "like", pattern]]])
        }
        FindKey::ExternalReference(reference) => {
            let typed = json!(["identifiers", "where", [["type", "=", reference.system], ["code", "=", reference.id]]]);
            let codes = [party::code(reference), reference.id.clone()];
            json!(["OR", typed, ["identifiers", "where", [["type", "=", null], ["code", "in", codes]]]])
        }
    }
}

/// Whether the key fits.
pub(super) fn fits(key: &FindKey, customer: &Customer) -> bool {
    let Some(details) = &customer.details else { return false };
    let has = |kinds: &[ContactKind], fits: &dyn Fn(&str) -> bool| {
        details.contact_media.iter().any(|medium| kinds.contains(&medium.kind()) && fits(&medium.value))
    };
    match key {
        FindKey::Number(number) => customer.number == *number,
        FindKey::Name(name) => details.name.to_lowercase().contains(&name.to_lowercase()),
        FindKey::Email(email) => has(&[ContactKind::Email], &|value| value.to_lowercase() == email.to_lowercase()),
        FindKey::Phone(phone) => has(&[ContactKind::Phone, ContactKind::Mobile], &|value| dialled(value) == dialled(phone)),
        FindKey::ExternalReference(reference) => details.external_references.contains(reference),
    }
}
