//! Settings as the bus hands them over: read, checked, and described.

use passerelle_adapter::OpenError;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The JSON schema (2020-12) of the settings. What is not in it is refused.
pub(crate) fn schema<S: JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(S).to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.entry("properties").or_insert_with(|| Map::new().into());
        schema.entry("additionalProperties").or_insert(false.into());
    }
    schema
}

/// Reads settings. No value is repeated: it may be a secret written in the wrong place.
pub(crate) fn read<S: DeserializeOwned + JsonSchema>(text: &str) -> Result<S, OpenError> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let given: Value = serde_json::from_str(text)
        .map_err(|error| OpenError(format!("the settings are no JSON: line {}, column {}", error.line(), error.column())))?;
    let Value::Object(settings) = &given else { return Err(OpenError("the settings are no JSON object".to_owned())) };
    unknown(&schema::<S>(), settings)?;
    serde_path_to_error::deserialize(&given).map_err(|error| {
        let place = error.path().to_string();
        let words = error.into_inner().to_string();
        OpenError(match words.split_once(", expected ") {
            // "invalid type: string "…", expected u64", "unknown variant `…`, expected one of …"
            Some((_, expected)) => format!("the setting `{place}` is not {expected}"),
            None if place == "." => format!("the settings: {words}"),
            None => format!("the setting `{place}`: {words}"),
        })
    })
}

fn unknown(schema: &Value, settings: &Map<String, Value>) -> Result<(), OpenError> {
    let Some(properties) = schema["properties"].as_object().filter(|_| schema["additionalProperties"] == false) else {
        return Ok(());
    };
    let names = || properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    match settings.keys().find(|name| !properties.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(OpenError(format!("unknown setting `{name}` (there are: {})", names()))),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde::Deserialize;

    use super::*;
    use crate::Secret;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[allow(dead_code, reason = "printed")]
    struct Settings {
        /// A text.
        name: String,
        /// A whole number.
        #[serde(default)]
        size: u32,
        /// One of a few.
        #[serde(default)]
        colour: Option<Colour>,
        /// A secret.
        password: Option<Secret>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Colour {
        Red,
        Green,
    }

    fn check(text: &str, expected: Expect) {
        let told = match read::<Settings>(text) {
            Ok(settings) => format!("{settings:?}"),
            Err(error) => error.to_string(),
        };
        assert!(!told.contains("hunter2"), "{told}");
        expected.assert_eq(&told);
    }

    #[test]
    fn settings_that_cannot_be_used_are_named_without_their_values() {
        check(
            r#"{"name": "x", "size": 2, "colour": "red", "password": "env:PASSWORD"}"#,
            expect![[r#"Settings { name: "x", size: 2, colour: Some(Red), password: Some(env:PASSWORD) }"#]],
        );
        check("", expect![[r#"the settings: missing field `name`"#]]);
        check("{", expect![[r#"the settings are no JSON: line 1, column 1"#]]);
        check("[]", expect![[r#"the settings are no JSON object"#]]);
        check(&"[".repeat(200_000), expect![[r#"the settings are no JSON: line 1, column 128"#]]);
        check(r#"{"name": 7}"#, expect!["the setting `name` is not a string"]);
        check(r#"{"name": "x", "size": "hunter2"}"#, expect!["the setting `size` is not u32"]);
        check(r#"{"name": "x", "size": -1}"#, expect!["the setting `size` is not u32"]);
        check(r#"{"name": "x", "colour": "hunter2"}"#, expect!["the setting `colour` is not `red` or `green`"]);
        check(
            r#"{"name": "x", "password": "hunter2"}"#,
            expect!["the setting `password`: a secret is named as env:NAME or file:PATH, never written in clear"],
        );
        check(r#"{"name": "x", "shape": "round"}"#, expect!["unknown setting `shape` (there are: name, size, colour, password)"]);
    }
}
