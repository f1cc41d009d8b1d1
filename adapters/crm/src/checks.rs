//! What texts of a request may be. The limits are those of the contract, the same for every driver. No value is ever repeated.

use std::time::SystemTime;

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::customers::v1::find_request::Key as FindKey;
use passerelle_proto::backoffice::customers::v1::{ContactKind, Details, Direction, ExternalReference, Interaction};

use crate::wire::invalid;

/// Longest name of a customer, in bytes.
const LONGEST_NAME: usize = 200;
/// Longest customer number, in bytes.
const LONGEST_NUMBER: usize = 64;
/// Longest telephone number or address, in bytes.
const LONGEST_CONTACT: usize = 200;
/// Longest id that another system gives, in bytes.
const LONGEST_EXTERNAL: usize = 100;
/// Longest name of a channel or a system, in bytes.
const LONGEST_WORD: usize = 32;
/// Longest reason of an interaction, in bytes.
const LONGEST_REASON: usize = 200;
/// Longest description of an interaction, in bytes.
const LONGEST_DESCRIPTION: usize = 10_000;
/// Longest version, cursor and idempotency key, in bytes.
const LONGEST_TOKEN: usize = 256;
/// Most contact media, and most external references.
const MOST: usize = 32;
/// A system that is the adapter's own.
pub(crate) const OWN: &str = "passerelle";

/// What is known of a customer.
pub(crate) fn details(details: Option<Details>) -> Result<Details, Fault> {
    let details = details.ok_or_else(|| invalid("details are missing"))?;
    text("details.name", &details.name, LONGEST_NAME)?;
    at_most("details.contact_media", details.contact_media.len())?;
    at_most("details.external_references", details.external_references.len())?;
    for (number, medium) in details.contact_media.iter().enumerate() {
        let field = format!("details.contact_media[{number}]");
        if matches!(ContactKind::try_from(medium.kind), Err(_) | Ok(ContactKind::Unspecified)) {
            return Err(invalid(format!("{field}.kind is none of the contract")));
        }
        text(&format!("{field}.value"), &medium.value, LONGEST_CONTACT)?;
        if details.contact_media[..number].contains(medium) {
            return Err(invalid(format!("{field} is there twice")));
        }
    }
    for (number, reference) in details.external_references.iter().enumerate() {
        let field = format!("details.external_references[{number}]");
        external(&field, reference)?;
        if details.external_references[..number].contains(reference) {
            return Err(invalid(format!("{field} is there twice")));
        }
    }
    Ok(details)
}

/// A customer number; empty: one is to be given.
pub(crate) fn number(number: &str) -> Result<(), Fault> {
    if number.is_empty() { Ok(()) } else { text("number", number, LONGEST_NUMBER) }
}

/// The key by which a customer is looked for.
pub(crate) fn find_key(key: Option<FindKey>) -> Result<FindKey, Fault> {
    let key = key.ok_or_else(|| invalid("key is missing: number, email, phone, name or external_reference"))?;
    match &key {
        FindKey::Number(number) => text("number", number, LONGEST_NUMBER)?,
        FindKey::Email(email) => text("email", email, LONGEST_CONTACT)?,
        FindKey::Phone(phone) => {
            text("phone", phone, LONGEST_CONTACT)?;
            if dialled(phone).len() < 2 {
                return Err(invalid("phone has fewer than 2 digits"));
            }
        }
        FindKey::Name(name) => {
            text("name", name, LONGEST_NAME)?;
            if name.len() < 2 {
                return Err(invalid("name has fewer than 2 bytes"));
            }
        }
        FindKey::ExternalReference(reference) => external("external_reference", reference)?,
    }
    Ok(key)
}

/// What was done with a customer; noted now when it does not say when.
pub(crate) fn interaction(interaction: Option<Interaction>) -> Result<Interaction, Fault> {
    let mut interaction = interaction.ok_or_else(|| invalid("interaction is missing"))?;
    if !interaction.id.is_empty() {
        return Err(invalid("interaction.id is the CRM's to give"));
    }
    if Direction::try_from(interaction.direction).is_err() {
        return Err(invalid("interaction.direction is none of the contract"));
    }
    word("interaction.channel", &interaction.channel)?;
    for (field, text, most) in [
        ("interaction.reason", &interaction.reason, LONGEST_REASON),
        ("interaction.description", &interaction.description, LONGEST_DESCRIPTION),
    ] {
        if text.len() > most {
            return Err(invalid(format!("{field} has {} bytes, at most {most} are taken", text.len())));
        }
        if text.contains(|c: char| c.is_control() && c != '\n') {
            return Err(invalid(format!("{field} must have no control characters but line breaks")));
        }
    }
    if interaction.reason.contains('\n') {
        return Err(invalid("interaction.reason must be one line"));
    }
    let at = *interaction.at.get_or_insert_with(|| SystemTime::now().into());
    // Years 0001 to 9999, as the type says.
    if !(-62_135_596_800..253_402_300_800).contains(&at.seconds) || !(0..1_000_000_000).contains(&at.nanos) {
        return Err(invalid("interaction.at is no moment of the years 1 to 9999"));
    }
    Ok(interaction)
}

/// A version or a cursor; empty is `None`.
pub(crate) fn token(what: &str, text: String) -> Result<Option<String>, Fault> {
    match text.len() {
        0 => Ok(None),
        length if length > LONGEST_TOKEN => Err(invalid(format!("{what} has {length} bytes, at most {LONGEST_TOKEN} are taken"))),
        _ => Ok(Some(text)),
    }
}

/// A telephone number as it is dialled: digits, and a `+` before them.
pub(crate) fn dialled(phone: &str) -> String {
    let plus = phone.trim_start().starts_with('+').then_some('+');
    plus.into_iter().chain(phone.chars().filter(char::is_ascii_digit)).collect()
}

fn external(field: &str, reference: &ExternalReference) -> Result<(), Fault> {
    word(&format!("{field}.system"), &reference.system)?;
    if reference.system == OWN {
        return Err(invalid(format!("{field}.system must not be `{OWN}`")));
    }
    text(&format!("{field}.id"), &reference.id, LONGEST_EXTERNAL)
}

/// Whether a text may name a system or a channel.
pub(crate) fn is_word(text: &str) -> bool {
    let written = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    text.len() <= LONGEST_WORD && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(written)
}

fn word(field: &str, text: &str) -> Result<(), Fault> {
    let rule = || invalid(format!("{field} must be 1 to {LONGEST_WORD} of a-z, 0-9, `_` and `-`, beginning with a letter"));
    if is_word(text) { Ok(()) } else { Err(rule()) }
}

fn at_most(field: &str, length: usize) -> Result<(), Fault> {
    if length <= MOST { Ok(()) } else { Err(invalid(format!("{field} has {length} entries, at most {MOST} are taken"))) }
}

fn text(field: &str, text: &str, most: usize) -> Result<(), Fault> {
    let no = |why: &str| Err(invalid(format!("{field} {why}")));
    match text {
        "" => no("is empty"),
        _ if text.len() > most => no(&format!("has {} bytes, at most {most} are taken", text.len())),
        _ if text.contains(char::is_control) => no("must have no control characters"),
        _ if text.trim() != text => no("must not begin or end with a space"),
        // Where texts are compared by patterns it would change what comes after it.
        _ if text.contains('\\') => no("must have no `\\`"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_dialled_however_it_is_spaced() {
        let same = ["+33 1 23-45", "+33 (1) 2345", " +3312345"];
        assert!(same.iter().all(|phone| dialled(phone) == "+3312345"));
        assert_eq!(dialled("01.23"), "0123");
    }

    #[test]
    fn a_word_is_small_letters_digits_and_strokes() {
        assert!(["a", "web", "fr_siret", "call-centre2"].iter().all(|word| is_word(word)));
        assert!(["", "Web", "1a", "a b", "é", &"a".repeat(33)].iter().all(|word| !is_word(word)));
    }
}
