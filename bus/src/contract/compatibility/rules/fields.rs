//! What fields and extensions keep: name, type, cardinality, default, oneof, and what code generators make of them.

use super::super::Comparison;
use super::super::finding::{Finding, Touches};
use super::super::rule::Rule;
use super::super::schema::{Cardinality, CppString, Field, Place, VERIFY};
use super::messages::{described, or_file};
use super::{types, values};

pub(super) fn check(comparison: &mut Comparison<'_>) {
    let (old, new) = (comparison.old, comparison.new);
    for (name, was) in &old.messages {
        let Some(is) = new.messages.get(name) else { continue };
        for (number, was) in &was.fields {
            if let Some(is) = is.fields.get(number) {
                pair(comparison, was, is);
            }
        }
    }
    for (key, was) in &old.extensions {
        if let Some(is) = new.extensions.get(key) {
            pair(comparison, was, is);
        }
    }
}

fn pair(comparison: &mut Comparison<'_>, was: &Field, is: &Field) {
    names(comparison, was, is);
    types::check(comparison, was, is);
    cardinality(comparison, was, is);
    oneof(comparison, was, is);
    default(comparison, was, is);
    generated(comparison, was, is);
}

/// A change of a field. Where its part is not written, the field itself is.
pub(super) fn changed((was, is): (&Field, &Field), rule: Rule, old: String, new: String, part: Option<&Place>) -> Finding {
    let place = part.or(is.site.place.as_ref()).cloned();
    // Callers know it by its old name. Samples know no extensions: to say that one was never seen would be a guess.
    let field = (!was.is_extension).then(|| was.name.clone());
    let touches = Touches::Message(was.message.clone(), field);
    Finding { rule, element: described(is), old, new, place: or_file(place, &is.site), touches }
}

fn names(comparison: &mut Comparison<'_>, was: &Field, is: &Field) {
    let name = |field: &Field| if field.is_extension { field.site.full_name.clone() } else { field.name.clone() };
    if name(was) != name(is) {
        let (old, new) = (format!("name {}", name(was)), format!("name {}", name(is)));
        comparison.add(changed((was, is), Rule::FieldSameName, old, new, is.places.name.as_ref()));
    }
    if !was.is_extension && was.json_name != is.json_name {
        let (old, new) = (format!("JSON name {}", was.json_name), format!("JSON name {}", is.json_name));
        comparison.add(changed((was, is), Rule::FieldSameJsonName, old, new, is.places.json_name.as_ref()));
    }
}

fn cardinality(comparison: &mut Comparison<'_>, was: &Field, is: &Field) {
    use Cardinality::{Explicit, Implicit, Map, Repeated, Required};
    // The compiler makes the entries of maps; what they seem to say of presence means nothing.
    if was.in_map_entry && is.in_map_entry || was.cardinality == is.cardinality {
        return;
    }
    let on_the_wire = |cardinality| match cardinality {
        Explicit | Implicit => 1,
        Required => 2,
        Repeated | Map => 3,
    };
    let in_json = |cardinality| match cardinality {
        Map => 4,
        other => on_the_wire(other),
    };
    let finding = |rule| changed((was, is), rule, was.cardinality.name().to_owned(), is.cardinality.name().to_owned(), None);
    comparison.add(finding(Rule::FieldSameCardinality));
    if on_the_wire(was.cardinality) != on_the_wire(is.cardinality) {
        comparison.add(finding(Rule::FieldWireCompatibleCardinality));
    }
    if in_json(was.cardinality) != in_json(is.cardinality) {
        comparison.add(finding(Rule::FieldWireJsonCompatibleCardinality));
    }
}

fn oneof(comparison: &mut Comparison<'_>, was: &Field, is: &Field) {
    if !was.is_extension && was.oneof != is.oneof {
        let shown = |field: &Field| field.oneof.as_ref().map_or("in no oneof".to_owned(), |name| format!("in oneof {name}"));
        comparison.add(changed((was, is), Rule::FieldSameOneof, shown(was), shown(is), None));
    }
}

fn default(comparison: &mut Comparison<'_>, was: &Field, is: &Field) {
    if !comparison.wants(Rule::FieldSameDefault) {
        return;
    }
    let default = |field, schema| values::default(field, schema);
    let (Some(old), Some(new)) = (default(was, comparison.old), default(is, comparison.new)) else { return };
    if !old.equals(&new) {
        let (old, new) = (format!("default {}", shown(was)), format!("default {}", shown(is)));
        comparison.add(changed((was, is), Rule::FieldSameDefault, old, new, is.places.default.as_ref()));
    }
}

/// As it was written: a default is no customer's value.
fn shown(field: &Field) -> &str {
    field.default.as_deref().unwrap_or("none")
}

fn generated(comparison: &mut Comparison<'_>, was: &Field, is: &Field) {
    let both = |kinds: &[i32]| kinds.contains(&was.kind) && kinds.contains(&is.kind);
    let places = &is.places;
    let from_piece = was.cpp_string == CppString::Piece && is.cpp_string == CppString::STRING;
    if both(&[types::STRING, types::BYTES]) && !is.in_map_entry && was.cpp_string != is.cpp_string && !from_piece {
        let (old, new) = (format!("C++ string type {}", was.cpp_string.name()), is.cpp_string.name());
        let place = places.ctype.as_ref().or(places.cpp_string.as_ref());
        comparison.add(changed((was, is), Rule::FieldSameCppStringType, old, new, place));
    }
    if both(&types::LONG) && was.jstype != is.jstype {
        let (old, new) = (format!("jstype {}", jstype(was.jstype)), jstype(is.jstype).to_owned());
        comparison.add(changed((was, is), Rule::FieldSameJstype, old, new, places.jstype.as_ref()));
    }
    let validation = |verifies| if verifies { "UTF-8 is checked" } else { "UTF-8 is not checked" };
    if both(&[types::STRING]) && was.utf8 != is.utf8 {
        let (old, new) = (validation(was.utf8 == VERIFY), validation(is.utf8 == VERIFY));
        comparison.add(changed((was, is), Rule::FieldSameUtf8Validation, old.to_owned(), new.to_owned(), places.utf8.as_ref()));
    }
    if both(&[types::STRING]) && was.java_verifies_utf8 != is.java_verifies_utf8 {
        let (old, new) = (validation(was.java_verifies_utf8), validation(is.java_verifies_utf8));
        let file_option = comparison.new.files.get(&is.site.file).and_then(|file| file.place(&[8, 27]));
        let place = file_option.as_ref().or(places.java_utf8.as_ref());
        let (old, new) = (format!("in Java {old}"), new.to_owned());
        comparison.add(changed((was, is), Rule::FieldSameJavaUtf8Validation, old, new, place));
    }
}

fn jstype(number: i32) -> &'static str {
    match number {
        0 => "JS_NORMAL",
        1 => "JS_STRING",
        2 => "JS_NUMBER",
        _ => "unknown",
    }
}
