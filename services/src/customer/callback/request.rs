//! Requests of channels, checked and brought into the form of the rules; the id of a callback.

use std::collections::BTreeMap;
use std::hash::Hasher;

use passerelle_proto::bus::v1::CallbackRequested;
use passerelle_proto::customer::v1::RequestCallbackRequest;
use passerelle_proto::customer::v1::request_callback_request::When;
use siphasher::sip128::{Hasher128, SipHasher24};
use tonic::Status;

const LONGEST_KEY: usize = 128;
const LONGEST_CHANNEL: usize = 64;
const LONGEST_REASON: usize = 500;
const LONGEST_LINE: usize = 64;
const MOST_ENTRIES: usize = 32;
const LONGEST_ENTRY_NAME: usize = 64;
const LONGEST_ENTRY: usize = 1_000;
/// E.164 allows 15 digits; national short numbers behind a country's code have at least 4 in all.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=15;
/// Written between digits by people.
const DECORATION: [char; 7] = [' ', '.', '-', '(', ')', '/', '\u{a0}'];
/// Crockford's base 32, lower case: no i, l, o, u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters of an id: 80 bits.
const ID_LETTERS: u32 = 16;

/// The wish of a request; its slot is 0 for the first one with a place.
pub(super) fn wish(request: &RequestCallbackRequest) -> Result<CallbackRequested, Status> {
    key("idempotency_key", &request.idempotency_key)?;
    key("customer", &request.customer)?;
    line(&request.line)?;
    at_most("channel", &request.channel, LONGEST_CHANNEL)?;
    at_most("reason", &request.reason, LONGEST_REASON)?;
    context(&request.context)?;
    let slot = match &request.when {
        Some(When::SlotStart(start)) if start.seconds > 0 => start.seconds,
        Some(When::AsSoonAsPossible(true)) => 0,
        Some(When::SlotStart(_)) => return Err(Status::invalid_argument("slot_start: no slot begins then")),
        Some(When::AsSoonAsPossible(false)) | None => {
            return Err(Status::invalid_argument("say when: slot_start, or as_soon_as_possible: true"));
        }
    };
    Ok(CallbackRequested {
        line: request.line.clone(),
        customer: request.customer.clone(),
        telephone: telephone(&request.telephone)?,
        channel: request.channel.clone(),
        reason: request.reason.clone(),
        context: request.context.clone(),
        slot,
    })
}

/// The id of a callback: the same customer and key give the same one, and nobody without the secret can tell which.
pub(super) fn id(secret: &[u8; 16], customer: &str, idempotency_key: &str) -> String {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write_u64(customer.len() as u64);
    hasher.write(customer.as_bytes());
    hasher.write(idempotency_key.as_bytes());
    let hash = hasher.finish128().as_u128();
    let letter = |place: u32| char::from(ALPHABET[(hash >> (5 * place)) as usize % ALPHABET.len()]);
    (0..ID_LETTERS).map(letter).collect()
}

/// Whether that can be an id at all.
pub(super) fn check_id(id: &str) -> Result<(), Status> {
    let fits = id.len() == ID_LETTERS as usize && id.bytes().all(|byte| ALPHABET.contains(&byte));
    if fits { Ok(()) } else { Err(Status::invalid_argument("callback_id: 16 letters and digits, as a request was answered")) }
}

/// An idempotency key that may be left out. The same text is another key for another method.
pub(super) fn optional_key(method: &str, text: &str) -> Result<Option<String>, Status> {
    at_most("idempotency_key", text, LONGEST_KEY)?;
    Ok((!text.is_empty()).then(|| format!("{method}/{text}")))
}

/// Whether that can be a line's name at all.
pub(super) fn line(name: &str) -> Result<(), Status> {
    key("line", name)?;
    at_most("line", name, LONGEST_LINE)
}

fn key(field: &str, text: &str) -> Result<(), Status> {
    if text.is_empty() {
        return Err(Status::invalid_argument(format!("{field} is missing")));
    }
    at_most(field, text, LONGEST_KEY)
}

fn at_most(field: &str, text: &str, most: usize) -> Result<(), Status> {
    match text.len() {
        length if length > most => Err(Status::invalid_argument(format!("{field} has {length} bytes, at most {most} are taken"))),
        _ => Ok(()),
    }
}

fn context(context: &BTreeMap<String, String>) -> Result<(), Status> {
    if context.len() > MOST_ENTRIES {
        return Err(Status::invalid_argument(format!("context has {} entries, at most {MOST_ENTRIES} are taken", context.len())));
    }
    for (index, (name, value)) in context.iter().enumerate() {
        at_most(&format!("context: the name of entry {index}"), name, LONGEST_ENTRY_NAME)?;
        at_most(&format!("context: entry {index}"), value, LONGEST_ENTRY)?;
    }
    Ok(())
}

/// `+` and digits.
fn telephone(text: &str) -> Result<String, Status> {
    let wrong = || Status::invalid_argument("telephone: write it in international form, such as +33 1 23 45 67 89");
    let bare: String = text.chars().filter(|letter| !DECORATION.contains(letter)).take(64).collect();
    let digits = bare.strip_prefix('+').ok_or_else(wrong)?;
    match DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0') {
        true => Ok(bare),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn telephone_numbers_are_taken_as_people_write_them() {
        for text in ["+33123456789", "+33 1 23 45 67 89", "+33 (1) 23.45-67/89"] {
            assert_eq!(telephone(text).expect(text), "+33123456789");
        }
        for text in ["", "0123456789", "+", "+123", "+1234567890123456", "+33 12x4567", "+0331234"] {
            let refused = telephone(text).expect_err(text);
            assert!(text.len() < 4 || !refused.message().contains(text), "a number is repeated: {refused}");
        }
    }

    #[test]
    fn an_id_tells_customers_and_keys_apart() {
        let ids = [("ab", "c"), ("a", "bc"), ("", "abc"), ("ab", "d")].map(|(customer, key)| id(&[7; 16], customer, key));
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{ids:?}");
        // The ids of existing journals: they must not change.
        expect!["3n2bc0c7e0mjzeps"].assert_eq(&ids[0]);
        assert_ne!(id(&[8; 16], "ab", "c"), ids[0]);
        assert!(ids.iter().all(|id| check_id(id).is_ok()));
        assert!(check_id("callback/1234567").is_err());
    }
}
