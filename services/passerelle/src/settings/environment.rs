//! Settings out of environment variables: `PASSERELLE_LIMITS__DEADLINE_MS=5000` is `limits.deadline_ms`.

use std::collections::BTreeMap;

use config::{ConfigError, Map, Source, Value, ValueKind};

use super::error::Problem;
use super::schema::Place;

const PREFIX: &str = "PASSERELLE_";

/// Variables of ours that are no settings.
const NO_SETTINGS: [&str; 3] = ["PASSERELLE_SETTINGS", "PASSERELLE_ADMIN", "PASSERELLE_ADDRESS"];

/// Settings given by the environment: the field's path and, for each, the variable and its value.
///
/// Not `config::Environment`: that one guesses types (`yes` becomes 1), cannot make lists, and its errors name no variable.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides(Vec<Override>);

#[derive(Debug, Clone)]
struct Override {
    variable: String,
    path: String,
    value: ValueKind,
}

impl Overrides {
    /// Reads the variables that are settings. An empty one counts as not set: compose files write those.
    pub(super) fn read(variables: &BTreeMap<String, String>, schema: Place<'_>) -> Result<Self, Problem> {
        let ours = variables.iter().filter(|(variable, text)| is_setting(variable) && !text.is_empty());
        ours.map(|(variable, text)| one(variable, text, schema)).collect::<Result<_, _>>().map(Self)
    }

    /// The variable that gives the field at `path`, one below it, or the list that it is in.
    pub(super) fn variable(&self, path: &str) -> Option<&str> {
        let path = path.split('[').next().unwrap_or(path);
        let gives = |given: &&Override| {
            let below = given.path.strip_prefix(path);
            path.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.0.iter().find(gives).map(|given| given.variable.as_str())
    }
}

impl Source for Overrides {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.iter().map(|given| (given.path.clone(), Value::new(Some(&given.variable), given.value.clone()))).collect())
    }
}

fn is_setting(variable: &str) -> bool {
    variable.starts_with(PREFIX) && !NO_SETTINGS.contains(&variable) && !is_service_link(variable)
}

/// Kubernetes sets such variables for every service named `passerelle` or `passerelle-…` of the namespace:
/// `PASSERELLE_SERVICE_HOST`, `PASSERELLE_PORT_7400_TCP_ADDR`, `PASSERELLE_ADMIN_SERVICE_PORT`.
fn is_service_link(variable: &str) -> bool {
    let rest = &variable[PREFIX.len() - 1..];
    let is_port = |(_, after): (&str, &str)| {
        after.is_empty() || after.starts_with('_') && after[1..].starts_with(|c: char| c.is_ascii_digit())
    };
    !rest.contains("__")
        && (rest.contains("_SERVICE_HOST") || rest.contains("_SERVICE_PORT") || rest.split_once("_PORT").is_some_and(is_port))
}

fn one(variable: &str, text: &str, schema: Place<'_>) -> Result<Override, Problem> {
    let steps = path_of(variable);
    let path = steps.join(".");
    let wrong = |message: String| Problem { place: variable.to_owned(), field: path.clone(), message };
    let mut place = schema;
    for step in &steps {
        place = place.child(step).ok_or_else(|| wrong(unknown(step, place)))?;
    }
    let value = value_of(text, place).map_err(wrong)?;
    Ok(Override { variable: variable.to_owned(), path, value })
}

/// Two underscores go one level down. Shells allow no hyphen in a variable's name, endpoint names have no underscore:
/// `CARD_DISPUTES` is the endpoint `card-disputes`.
fn path_of(variable: &str) -> Vec<String> {
    let mut steps: Vec<String> = variable[PREFIX.len()..].to_lowercase().split("__").map(str::to_owned).collect();
    if let [first, name, ..] = steps.as_mut_slice()
        && first == "endpoints"
    {
        *name = name.replace('_', "-");
    }
    steps
}

fn unknown(step: &str, place: Place<'_>) -> String {
    let known: Vec<&str> = place.children().map(|(key, _)| key).collect();
    match known.is_empty() {
        true => format!("there is nothing below a value, `{step}` is one level too far"),
        false => format!("unknown field `{step}`, expected one of {}; two underscores go one level down", known.join(", ")),
    }
}

/// Strict where the schema says number or boolean, text as it is elsewhere: `007` stays `007`.
fn value_of(text: &str, place: Place<'_>) -> Result<ValueKind, String> {
    let words: Vec<&str> = place.words().into_iter().map(|(word, _)| word).collect();
    if !words.is_empty() && !words.contains(&text) {
        return Err(format!("`{text}` is none of {}", words.join(", ")));
    }
    match place.sort() {
        "integer" => text.parse().map(ValueKind::U64).map_err(|_| format!("`{text}` is no whole number, 0 or more")),
        "number" => text.parse().map(ValueKind::Float).map_err(|_| format!("`{text}` is no number")),
        "boolean" => text.parse().map(ValueKind::Boolean).map_err(|_| format!("`{text}` is neither true nor false")),
        "array" => Ok(ValueKind::Array(text.split(',').map(|item| Value::new(None, item.trim())).collect())),
        "object" => {
            Err("a group of fields has no value of its own; set one below it: two underscores go one level down".to_owned())
        }
        _ => Ok(ValueKind::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_kubernetes_sets_are_no_settings() {
        for link in [
            "PASSERELLE_SERVICE_HOST",
            "PASSERELLE_SERVICE_PORT_GRPC",
            "PASSERELLE_PORT",
            "PASSERELLE_PORT_7400_TCP_ADDR",
            "PASSERELLE_ADMIN_SERVICE_HOST",
            "PASSERELLE_ADMIN_PORT_7401_TCP",
        ] {
            assert!(!is_setting(link), "{link}");
        }
        for ours in
            ["PASSERELLE_LISTEN", "PASSERELLE_ENDPOINTS__PORT__FILE", "PASSERELLE_LIMITS__CONNECTIONS", "PASSERELLE_PORTAL"]
        {
            assert!(is_setting(ours), "{ours}");
        }
    }

    #[test]
    fn an_endpoint_is_named_with_underscores() {
        assert_eq!(
            path_of("PASSERELLE_ENDPOINTS__CARD_DISPUTES__CONNECT_TIMEOUT_MS"),
            ["endpoints", "card-disputes", "connect_timeout_ms"]
        );
        assert_eq!(path_of("PASSERELLE_DATA_DIR"), ["data_dir"]);
    }
}
