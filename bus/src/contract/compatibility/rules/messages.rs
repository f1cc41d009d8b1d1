//! What messages keep: their fields, oneofs, reserved and extension ranges, and what must be there.

use std::ops::RangeInclusive;

use super::super::Comparison;
use super::super::finding::{Finding, Touches};
use super::super::rule::Rule;
use super::super::schema::{Cardinality, Field, JSON_ALLOWED, Message, Place, Reserved, Site};
use super::numbers::{missing, shown};

pub(super) fn check(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (name, was) in &old.messages {
        let Some(is) = new.messages.get(name) else { continue };
        fields(comparison, was, is);
        required(comparison, was, is);
        oneofs(comparison, was, is);
        let touches = || Touches::Message(name.clone(), None);
        reserved(comparison, Rule::ReservedMessageNoDelete, ("message", &is.site), &was.reserved, &is.reserved, &touches());
        lost_ranges(
            comparison,
            (Rule::ExtensionMessageNoDelete, "extensions"),
            ("message", &is.site),
            &was.extension_ranges,
            &is.extension_ranges,
            &Touches::Source,
        );
        options(comparison, was, is);
    }
}

fn fields(comparison: &mut Comparison<'_>, was: &Message, is: &Message) {
    for field in was.fields.values().filter(|field| !is.fields.contains_key(&field.number)) {
        let finding = |rule, new: &str| Finding {
            rule,
            element: described(field),
            old: "there".to_owned(),
            new: new.to_owned(),
            place: or_file(is.site.place.clone(), &is.site),
            touches: Touches::Message(field.message.clone(), Some(field.name.clone())),
        };
        comparison.add(finding(Rule::FieldNoDelete, "gone"));
        if !is.reserved.has_number(field.number) {
            comparison.add(finding(Rule::FieldNoDeleteUnlessNumberReserved, "gone, and its number is not reserved"));
        }
        if !is.reserved.has_name(&field.name) {
            comparison.add(finding(Rule::FieldNoDeleteUnlessNameReserved, "gone, and its name is not reserved"));
        }
    }
}

/// `field amount (3) of bank.v1.Transfer`.
pub(super) fn described(field: &Field) -> String {
    let (sort, name) = match field.is_extension {
        true => ("extension", &field.site.full_name),
        false => ("field", &field.name),
    };
    format!("{sort} {name} ({}) of {}", field.number, field.message)
}

/// A place in the file, if there is none in its text.
pub(super) fn or_file(place: Option<Place>, site: &Site) -> Option<Place> {
    place.or_else(|| Some(Place::in_file(&site.file)))
}

fn required(comparison: &mut Comparison<'_>, was: &Message, is: &Message) {
    let required = |message: &Message, number: &i32| {
        message.fields.get(number).is_some_and(|field| field.cardinality == Cardinality::Required)
    };
    let finding = |field: &Field, old: &str, new: &str, place: Option<Place>| Finding {
        rule: Rule::MessageSameRequiredFields,
        element: described(field),
        old: old.to_owned(),
        new: new.to_owned(),
        place: or_file(place, &is.site),
        touches: Touches::Message(is.site.full_name.clone(), Some(field.name.clone())),
    };
    for (number, field) in was.fields.iter().filter(|(number, _)| required(was, number)) {
        if !required(is, number) {
            comparison.add(finding(field, "required", "not required", is.site.place.clone()));
        }
    }
    for (number, field) in is.fields.iter().filter(|(number, _)| required(is, number)) {
        if !required(was, number) {
            comparison.add(finding(field, "not required", "required", field.site.place.clone()));
        }
    }
}

fn oneofs(comparison: &mut Comparison<'_>, was: &Message, is: &Message) {
    for name in was.oneofs.iter().filter(|name| !is.oneofs.contains(name)) {
        comparison.add(Finding {
            rule: Rule::OneofNoDelete,
            element: format!("oneof {name} of {}", is.site.full_name),
            old: "there".to_owned(),
            new: "gone".to_owned(),
            place: or_file(is.site.place.clone(), &is.site),
            touches: Touches::Source,
        });
    }
}

/// What `site` reserved must stay reserved.
pub(super) fn reserved(
    comparison: &mut Comparison<'_>,
    rule: Rule,
    (sort, site): (&str, &Site),
    was: &Reserved,
    is: &Reserved,
    touches: &Touches,
) {
    lost_ranges(comparison, (rule, "reserved"), (sort, site), &was.ranges, &is.ranges, touches);
    for name in was.names.iter().filter(|name| !is.has_name(name)) {
        comparison.add(Finding {
            rule,
            element: format!("{sort} {}", site.full_name),
            old: format!("reserved \"{name}\""),
            new: format!("without \"{name}\""),
            place: or_file(site.place.clone(), site),
            touches: touches.clone(),
        });
    }
}

fn lost_ranges(
    comparison: &mut Comparison<'_>,
    (rule, what): (Rule, &str),
    (sort, site): (&str, &Site),
    was: &[RangeInclusive<i32>],
    is: &[RangeInclusive<i32>],
    touches: &Touches,
) {
    for range in was {
        let lost = missing(range, is);
        if !lost.is_empty() {
            comparison.add(Finding {
                rule,
                element: format!("{sort} {}", site.full_name),
                old: format!("{what} {}", shown(std::slice::from_ref(range))),
                new: format!("without {}", shown(&lost)),
                place: or_file(site.place.clone(), site),
                touches: touches.clone(),
            });
        }
    }
}

fn options(comparison: &mut Comparison<'_>, was: &Message, is: &Message) {
    let place = |place: &Option<Place>| or_file(place.clone().or_else(|| is.site.place.clone()), &is.site);
    let element = || format!("message {}", is.site.full_name);
    if was.json_format == JSON_ALLOWED && is.json_format != JSON_ALLOWED {
        comparison.add(Finding {
            rule: Rule::MessageSameJsonFormat,
            element: element(),
            old: "json_format ALLOW".to_owned(),
            new: "LEGACY_BEST_EFFORT".to_owned(),
            place: place(&is.json_format_place),
            touches: Touches::Message(is.site.full_name.clone(), None),
        });
    }
    if !was.no_accessor && is.no_accessor {
        comparison.add(Finding {
            rule: Rule::MessageNoRemoveStandardDescriptorAccessor,
            element: element(),
            old: "no_standard_descriptor_accessor false".to_owned(),
            new: "true".to_owned(),
            place: place(&is.no_accessor_place),
            touches: Touches::Source,
        });
    }
}
