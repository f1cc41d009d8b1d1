//! What enums keep: their values and names, what they reserve, whether they are closed.

use super::super::Comparison;
use super::super::finding::{Finding, Touches};
use super::super::rule::Rule;
use super::super::schema::{CLOSED, Enum, JSON_ALLOWED, Place};
use super::messages::{or_file, reserved};

pub(super) fn check(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (name, was) in &old.enums {
        let Some(is) = new.enums.get(name) else { continue };
        values(comparison, was, is);
        let touches = Touches::Enum(name.clone());
        reserved(comparison, Rule::ReservedEnumNoDelete, ("enum", &is.site), &was.reserved, &is.reserved, &touches);
        options(comparison, was, is);
    }
}

fn finding(is: &Enum, rule: Rule, element: String, old: &str, new: &str, place: Option<&Place>) -> Finding {
    let place = or_file(place.or(is.site.place.as_ref()).cloned(), &is.site);
    let touches = Touches::Enum(is.site.full_name.clone());
    Finding { rule, element, old: old.to_owned(), new: new.to_owned(), place, touches }
}

fn values(comparison: &mut Comparison<'_>, was: &Enum, is: &Enum) {
    for (number, names) in &was.values {
        let listed = names.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let element = format!("value {listed} ({number}) of enum {}", is.site.full_name);
        let gone = |rule, new| finding(is, rule, element.clone(), "there", new, None);
        match is.values.get(number) {
            None => {
                comparison.add(gone(Rule::EnumValueNoDelete, "gone"));
                if !is.reserved.has_number(*number) {
                    let rule = Rule::EnumValueNoDeleteUnlessNumberReserved;
                    comparison.add(gone(rule, "gone, and its number is not reserved"));
                }
                if !names.keys().all(|name| is.reserved.has_name(name)) {
                    let rule = Rule::EnumValueNoDeleteUnlessNameReserved;
                    comparison.add(gone(rule, "gone, and its name is not reserved"));
                }
            }
            // Aliases may be added, not taken away.
            Some(left) if !names.keys().all(|name| left.contains_key(name)) => {
                let new = format!("name {}", left.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
                for place in left.values() {
                    let old = format!("name {listed}");
                    comparison.add(finding(is, Rule::EnumValueSameName, element.clone(), &old, &new, place.as_ref()));
                }
            }
            Some(_) => {}
        }
    }
}

fn options(comparison: &mut Comparison<'_>, was: &Enum, is: &Enum) {
    let element = || format!("enum {}", is.site.full_name);
    let openness = |item: &Enum| if item.enum_type == CLOSED { "closed" } else { "open" };
    if openness(was) != openness(is) {
        let place = is.enum_type_place.as_ref();
        comparison.add(finding(is, Rule::EnumSameType, element(), openness(was), openness(is), place));
    }
    if was.json_format == JSON_ALLOWED && is.json_format != JSON_ALLOWED {
        let place = is.json_format_place.as_ref();
        let (old, new) = ("json_format ALLOW", "LEGACY_BEST_EFFORT");
        comparison.add(finding(is, Rule::EnumSameJsonFormat, element(), old, new, place));
    }
}
