//! Changes of a contract, by seed: what developers do, well and badly.

use fastrand::Rng;

use super::contract::{Contract, Enum, Field, Message, Presence, Syntax};
use super::generate::{MESSAGES, OPTIONS, choice, decorate, field, kind, pick, prefix, retype};

/// Changes a contract in some places.
pub(super) fn mutate(rng: &mut Rng, contract: &mut Contract) {
    for _ in 0..rng.u8(1..5) {
        match rng.u8(0..20) {
            0..=8 => message(rng, contract),
            9..=11 => enumeration(rng, contract),
            12..=14 => service(rng, contract),
            15..=16 => option(rng, contract),
            17 => extension(rng, contract),
            18 => gone(rng, contract),
            _ => rare(rng, contract),
        }
    }
}

fn message(rng: &mut Rng, contract: &mut Contract) {
    let count = contract.messages.len() + contract.shared.len();
    let place = rng.usize(0..count);
    let mut message = contract.messages.iter_mut().chain(&mut contract.shared).nth(place).unwrap();
    if !message.messages.is_empty() && rng.u8(0..4) == 0 {
        message = &mut message.messages[0];
    }
    match rng.u8(0..12) {
        0 | 1 => delete_field(rng, message),
        2 => reserve_less(rng, &mut message.reserved, &mut message.reserved_names),
        3 => {
            message.extension_ranges.pop();
        }
        4 => message.options.push("no_standard_descriptor_accessor = true".to_owned()),
        5 => oneof(rng, message),
        6 => {
            let number = 40 + i32::try_from(message.fields.len()).unwrap();
            let field = field(rng, &format!("field_{number}"), number);
            message.fields.push(field);
        }
        _ => {
            if let Some(place) = some(rng, message.fields.len()) {
                change_field(rng, message, place);
            }
        }
    }
    message.options.dedup();
}

fn delete_field(rng: &mut Rng, message: &mut Message) {
    let Some(place) = some(rng, message.fields.len()) else { return };
    let field = message.fields.remove(place);
    if rng.bool() {
        message.reserved.push((field.number, field.number));
    }
    if rng.bool() {
        message.reserved_names.push(field.name);
    }
}

fn change_field(rng: &mut Rng, message: &mut Message, place: usize) {
    let unused = 50 + rng.i32(0..200);
    let is_free = message.fields.iter().all(|other| other.number != unused);
    let field = &mut message.fields[place];
    match rng.u8(0..9) {
        0..=2 => {
            let kind = kind(rng);
            retype(field, &kind);
            unmap(field);
        }
        3 => field.name += "_new",
        4 if is_free => field.number = unused,
        5 | 6 => {
            field.presence = pick(rng, &[Presence::Implicit, Presence::Explicit, Presence::Required, Presence::Repeated]);
            let kind = field.kind.clone();
            retype(field, &kind);
        }
        _ => decorate(rng, field),
    }
}

/// No map stands in a oneof.
fn unmap(field: &mut Field) {
    if field.oneof.is_some() && field.kind.starts_with("map<") {
        retype(field, "fixed32");
    }
}

fn oneof(rng: &mut Rng, message: &mut Message) {
    match rng.u8(0..4) {
        0 => message.fields.iter_mut().for_each(|field| field.oneof = None),
        1 => message
            .fields
            .iter_mut()
            .filter(|field| field.oneof.is_some())
            .for_each(|field| field.oneof = Some("other".to_owned())),
        2 => {
            if let Some(field) = message.fields.iter_mut().find(|field| field.oneof.is_none()) {
                *field = choice(rng, field.number, "late");
            }
        }
        _ => {
            if let Some(field) = message.fields.iter_mut().rev().find(|field| field.oneof.is_some()) {
                field.oneof = None;
            }
        }
    }
}

fn reserve_less(rng: &mut Rng, ranges: &mut Vec<(i32, i32)>, names: &mut Vec<String>) {
    match rng.u8(0..3) {
        0 => {
            names.pop();
        }
        1 => {
            ranges.pop();
        }
        _ => {
            if let Some((from, to)) = ranges.last_mut() {
                *from = (*from + 1).min(*to);
            }
        }
    }
}

fn enumeration(rng: &mut Rng, contract: &mut Contract) {
    let nested = contract.messages.iter_mut().flat_map(|message| &mut message.enums);
    let mut enums: Vec<&mut Enum> = contract.enums.iter_mut().chain(nested).collect();
    let place = rng.usize(0..enums.len());
    let item = &mut enums[place];
    let last = item.values.len() - 1;
    match rng.u8(0..7) {
        // The first two stay: a default names them, and proto3 wants a zero.
        0 | 1 if last > 1 => {
            let (name, number) = item.values.remove(rng.usize(2..=last));
            if rng.bool() && item.values.iter().all(|(_, other)| *other != number) {
                item.reserved.push((number, number));
            }
            if rng.bool() {
                item.reserved_names.push(name);
            }
        }
        2 if last > 1 => item.values[last].0 += "_NEW",
        3 => item.values.push((format!("{}_LATE_{last}", prefix(&item.name)), 100 + i32::try_from(last).unwrap())),
        4 if last > 1 => item.values[last].1 += 200,
        5 => {
            item.features =
                vec![pick(rng, &["features.enum_type = CLOSED", "features.json_format = LEGACY_BEST_EFFORT"]).to_owned()]
        }
        _ => reserve_less(rng, &mut item.reserved, &mut item.reserved_names),
    }
    // A closed enum goes with no field of implicit presence: only those that nobody names may close.
    if !item.name.starts_with("Spare") {
        item.features.retain(|feature| !feature.contains("CLOSED"));
    }
}

fn service(rng: &mut Rng, contract: &mut Contract) {
    let Some(place) = some(rng, contract.services.len()) else { return };
    let service = &mut contract.services[place];
    let Some(place) = some(rng, service.methods.len()) else { return };
    let method = &mut service.methods[place];
    match rng.u8(0..6) {
        0 => {
            service.methods.remove(place);
        }
        1 => method.request.0 = !method.request.0,
        2 => method.response.0 = !method.response.0,
        3 => method.request.1 = pick(rng, &MESSAGES).to_owned(),
        4 => method.response.1 = pick(rng, &MESSAGES).to_owned(),
        _ => method.idempotency = pick(rng, &[None, Some("NO_SIDE_EFFECTS"), Some("IDEMPOTENT")]),
    }
}

fn option(rng: &mut Rng, contract: &mut Contract) {
    let (name, values) = pick(rng, &OPTIONS);
    contract.options.retain(|(other, _)| *other != name);
    if rng.u8(0..3) > 0 {
        contract.options.push((name, pick(rng, values).to_owned()));
    }
}

fn extension(rng: &mut Rng, contract: &mut Contract) {
    let Some(extension) = contract.extensions.last_mut() else { return };
    match rng.u8(0..4) {
        0 => {
            contract.extensions.pop();
        }
        1 => extension.name += "_new",
        2 => extension.presence = pick(rng, &[Presence::Explicit, Presence::Repeated]),
        _ => retype(extension, pick(rng, &["int64", "string", "Alpha", "ColourKind"])),
    }
    // What is repeated has no default.
    contract.extensions.iter_mut().filter(|it| it.presence == Presence::Repeated).for_each(|it| it.default = None);
}

fn gone(rng: &mut Rng, contract: &mut Contract) {
    match rng.u8(0..7) {
        0 => contract.messages.retain(|message| message.name != "Spare"),
        1 => contract.enums.retain(|item| item.name != "SpareKind"),
        2 => contract.services.retain(|service| service.name != "SpareDesk"),
        3 => contract.messages[0].messages.clear(),
        4 => contract.messages[1].enums.clear(),
        5 => contract.shared.clear(),
        _ => {
            let moved = contract.shared.pop();
            contract.messages.extend(moved);
        }
    }
}

fn rare(rng: &mut Rng, contract: &mut Contract) {
    match rng.u8(0..3) {
        0 => contract.package = contract.package.replace(".v1", ".v2"),
        _ => contract.syntax = pick(rng, &[Syntax::Proto2, Syntax::Proto3, Syntax::Edition2023]),
    }
}

fn some(rng: &mut Rng, count: usize) -> Option<usize> {
    (count > 0).then(|| rng.usize(0..count))
}
