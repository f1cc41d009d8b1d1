//! The fields of a file, read out of its JSON schema: for a terminal and for a page.

use serde_json::Value;

use crate::settings::schema::{Place, range_in_words};

/// How deep a schema is followed; one that contains itself would have no end.
const DEEPEST: usize = 12;

/// One field, ready to be printed.
struct Field {
    /// `endpoints.NAME.connections`
    path: String,
    /// `integer, 1 to 64`
    sort: String,
    /// As it would be written; empty where there is none.
    default: String,
    /// Whether it must be written.
    required: bool,
    /// What it means.
    meaning: String,
}

/// The fields as a table in Markdown.
pub(crate) fn markdown(schema: &Value) -> String {
    let mut text = "| key | value | default | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for field in fields(schema) {
        let Field { path, sort, default, required, meaning } = field;
        let default = match (required, default.as_str()) {
            (true, _) => "required".to_owned(),
            (false, "") => String::new(),
            (false, default) => format!("`{default}`"),
        };
        text.push_str(&format!("| `{path}` | {sort} | {default} | {} |\n", meaning.replace('|', "\\|")));
    }
    text
}

/// The fields as text for a terminal.
pub(crate) fn text(schema: &Value) -> String {
    let mut text = String::new();
    for Field { path, sort, default, required, meaning } in fields(schema) {
        let default = match (required, default.as_str()) {
            (true, _) => ", required".to_owned(),
            (false, "") => String::new(),
            (false, default) => format!(", default {default}"),
        };
        text.push_str(&format!("{path}  ({sort}{default})\n"));
        if !meaning.is_empty() {
            text.push_str(&format!("    {meaning}\n"));
        }
    }
    text
}

fn fields(schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    below(Place::root(schema), "", &schema["default"], 0, &mut found);
    found
}

fn below(place: Place<'_>, path: &str, defaults: &Value, depth: usize, found: &mut Vec<Field>) {
    if depth > DEEPEST {
        return;
    }
    for (key, child) in place.children() {
        let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let written = &place.node()["properties"][key];
        let default = if defaults[key].is_null() { &written["default"] } else { &defaults[key] };
        let required = place.node()["required"].as_array().is_some_and(|keys| keys.iter().any(|required| required == key));
        found.push(Field { required, ..field(path.clone(), child, written, default) });
        inside(child, &path, default, depth, found);
    }
}

/// What is below a field: its own fields, those of a list's items, those below free names.
fn inside(place: Place<'_>, path: &str, default: &Value, depth: usize, found: &mut Vec<Field>) {
    if let Some(named) = place.free() {
        below(named, &format!("{path}.NAME"), &Value::Null, depth + 1, found);
    } else if let Some(item) = place.item() {
        below(item, &format!("{path}[]"), &Value::Null, depth + 1, found);
    } else {
        below(place, path, default, depth + 1, found);
    }
}

fn field(path: String, place: Place<'_>, written: &Value, default: &Value) -> Field {
    let described = written["description"].as_str().or(place.node()["description"].as_str());
    let default = match default {
        Value::Null | Value::Object(_) => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut meaning = described.unwrap_or_default().replace('\n', " ");
    for (word, what) in place.words().into_iter().filter(|(_, what)| !what.is_empty()) {
        meaning.push_str(&format!(" `{word}`: {}", what.replace('\n', " ")));
    }
    Field { path, sort: sort(place), default, required: false, meaning }
}

fn sort(place: Place<'_>) -> String {
    let words: Vec<String> = place.words().iter().map(|(word, _)| format!("`{word}`")).collect();
    let several = place.node()["anyOf"].as_array().into_iter().flatten();
    let several: Vec<&str> = several.filter_map(|choice| choice["type"].as_str()).collect();
    if !words.is_empty() || !several.is_empty() {
        return if words.is_empty() { several.join(" or ") } else { words.join(" or ") };
    }
    let (least, most) = place.range();
    match (place.sort(), range_in_words(least, most).as_str()) {
        ("array", _) => format!("list of {}", place.item().map_or("anything", Place::sort)),
        ("object", _) => "fields below".to_owned(),
        ("", _) => "anything".to_owned(),
        (sort, "") => sort.to_owned(),
        (sort, range) => format!("{sort}, {range}"),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_of_field_is_shown() {
        let schema = json!({
            "properties": {
                "name": { "type": "string", "description": "Who." },
                "count": { "type": "integer", "minimum": 1, "maximum": 9, "default": 3 },
                "hosts": { "type": "object", "additionalProperties": { "$ref": "#/$defs/Host" } },
                "value": { "anyOf": [{ "type": "integer" }, { "type": "string" }] },
                "kind": { "anyOf": [{ "$ref": "#/$defs/Kind" }, { "type": "null" }], "description": "Which." },
                "list": { "type": ["array", "null"], "items": { "$ref": "#/$defs/Host" } },
            },
            "required": ["name"],
            "$defs": {
                "Host": { "type": "object", "properties": { "port": { "type": "integer" } }, "required": ["port"] },
                "Kind": { "oneOf": [{ "const": "a", "description": "The first." }, { "const": "b" }] },
            },
        });
        expect![[r#"
            name  (string, required)
                Who.
            count  (integer, 1 to 9, default 3)
            hosts  (fields below)
            hosts.NAME.port  (integer, required)
            value  (integer or string)
            kind  (`a` or `b`)
                Which. `a`: The first.
            list  (list of object)
            list[].port  (integer, required)
        "#]]
        .assert_eq(&text(&schema));
    }

    #[test]
    fn a_schema_that_contains_itself_has_an_end() {
        let schema = json!({ "properties": { "below": { "$ref": "#" } } });
        assert!(markdown(&schema).lines().count() < 20);
        let itself = json!({ "properties": { "a": { "$ref": "#/$defs/A" } }, "$defs": { "A": { "$ref": "#/$defs/A" } } });
        assert_eq!(text(&itself).lines().count(), 1);
    }
}
