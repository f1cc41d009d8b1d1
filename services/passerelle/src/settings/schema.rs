//! The JSON schema of the settings, and walking it: what may stand at a path, and which bounds hold there.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Settings;

/// JSON schema (2020-12) of the settings file.
pub fn json_schema() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Settings>().to_value()
}

/// References followed one after another.
const LONGEST_CHAIN: usize = 8;

/// One place in a schema, with references followed.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    root: &'a Value,
    node: &'a Value,
}

impl<'a> Place<'a> {
    /// The schema's root.
    pub(crate) fn root(schema: &'a Value) -> Self {
        Self { root: schema, node: schema }
    }

    /// Follows references, and an option to its value; one that leads to itself leads nowhere.
    fn at(self, node: &'a Value) -> Self {
        self.follow(node, LONGEST_CHAIN)
    }

    fn follow(self, node: &'a Value, steps: usize) -> Self {
        let here = Self { node, ..self };
        let Some(steps) = steps.checked_sub(1) else { return here };
        if let Some(reference) = node["$ref"].as_str() {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(here, |target| self.follow(target, steps));
        }
        let choices = node["anyOf"].as_array().into_iter().flatten();
        let mut choices = choices.filter(|choice| choice["type"] != "null");
        match (choices.next(), choices.next()) {
            (Some(only), None) => self.follow(only, steps),
            _ => here,
        }
    }

    /// The place below a key.
    pub(crate) fn child(self, key: &str) -> Option<Self> {
        let named = self.node["properties"].get(key);
        let pattern = || self.node["patternProperties"].as_object().and_then(|patterns| patterns.values().next());
        let any = || self.node.get("additionalProperties").filter(|any| any.is_object());
        named.or_else(pattern).or_else(any).map(|node| self.at(node))
    }

    /// The place of a list's items.
    pub(crate) fn item(self) -> Option<Self> {
        self.node.get("items").map(|node| self.at(node))
    }

    /// The keys known here, with their places; none for a map of free names.
    pub(crate) fn children(self) -> impl Iterator<Item = (&'a str, Self)> {
        self.node["properties"].as_object().into_iter().flatten().map(move |(key, node)| (key.as_str(), self.at(node)))
    }

    /// Whether keys are free names here, and what is below each.
    pub(crate) fn free(self) -> Option<Self> {
        self.children().next().is_none().then(|| self.child("any"))?
    }

    /// The sort of value: `string`, `integer`, `number`, `boolean`, `array`, `object`.
    pub(crate) fn sort(self) -> &'a str {
        match &self.node["type"] {
            Value::Array(sorts) => sorts.iter().filter_map(Value::as_str).find(|sort| *sort != "null").unwrap_or_default(),
            sort => sort.as_str().unwrap_or_default(),
        }
    }

    /// The schema itself.
    pub(crate) fn node(self) -> &'a Value {
        self.node
    }

    /// The words of an enumeration with their meaning, documented (`oneOf` of `const`) or not (`enum`, meaning empty);
    /// none where any text will do.
    pub(crate) fn words(self) -> Vec<(&'a str, &'a str)> {
        let list = |key: &str| self.node[key].as_array().into_iter().flatten();
        let meaning = |choice: &'a Value| choice["description"].as_str().unwrap_or_default();
        let documented = list("oneOf").filter_map(|choice| Some((choice["const"].as_str()?, meaning(choice))));
        let plain = list("enum").filter_map(|word| Some((word.as_str()?, "")));
        documented.chain(plain).collect()
    }

    /// Smallest and largest number allowed.
    pub(crate) fn range(self) -> (Option<f64>, Option<f64>) {
        (self.node["minimum"].as_f64(), self.node["maximum"].as_f64())
    }

    /// Collects `(path, what is wrong)` of every number in `value` that is out of its range.
    pub(crate) fn out_of_range(self, value: &Value, path: &str, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    if let Some(child) = self.child(key) {
                        child.out_of_range(value, &path, found);
                    }
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    if let Some(item) = self.item() {
                        item.out_of_range(value, &format!("{path}[{index}]"), found);
                    }
                }
            }
            Value::Number(number) => {
                let (number, (least, most)) = (number.as_f64().unwrap_or_default(), self.range());
                if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
                    found.push((path.to_owned(), format!("{number} is out of range, {}", range_in_words(least, most))));
                }
            }
            // JSON has no word for NaN and the infinities, which YAML and the environment do have.
            Value::Null if self.sort() == "number" => found.push((path.to_owned(), "expected a finite number".to_owned())),
            _ => {}
        }
    }
}

/// `at least 1`, `1 to 64`; empty without bounds.
pub(crate) fn range_in_words(least: Option<f64>, most: Option<f64>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => String::new(),
    }
}
