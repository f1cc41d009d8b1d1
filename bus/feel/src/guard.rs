//! What must hold for a condition to be true, as far as its form tells: what an index over many conditions is made of.

use std::sync::Arc;

use crate::node::{Comparison, Node, Test};
use crate::value::Value;

/// A condition is never true where its guard does not hold.
#[derive(Debug, Clone)]
pub enum Guard {
    /// The variable in this place of the scope equals one of these texts, numbers or booleans.
    OneOf {
        /// The variable's place.
        variable: usize,
        /// What it may be.
        values: Vec<Value>,
    },
    /// The variable in this place of the scope begins with this text.
    Begins {
        /// The variable's place.
        variable: usize,
        /// What it begins with.
        with: Arc<str>,
    },
}

/// The guards of a condition over so many variables: each of them must hold.
pub(crate) fn of(node: &Node, variables: usize) -> Vec<Guard> {
    let mut found = Vec::new();
    gather(node, variables, &mut found);
    found
}

fn gather(node: &Node, variables: usize, found: &mut Vec<Guard>) {
    match node {
        Node::And(left, right) => {
            gather(left, variables, found);
            gather(right, variables, found);
        }
        Node::Or(left, right) => found.extend(either(left, right, variables)),
        Node::Compare(Comparison::Equal, left, right) => {
            let guard = |variable: &Node, value: &Node| {
                Some(Guard::OneOf { variable: slot(variable, variables)?, values: vec![constant(value)?] })
            };
            found.extend(guard(left, right).or_else(|| guard(right, left)));
        }
        Node::In { value, tests, .. } => {
            let values: Option<Vec<Vec<Value>>> = tests.iter().map(accepted).collect();
            if let (Some(variable), Some(values)) = (slot(value, variables), values) {
                found.push(Guard::OneOf { variable, values: values.concat() });
            }
        }
        Node::Builtin(function, arguments) if function.name == "starts with" => {
            if let [text, Node::Constant(Value::Text(with))] = arguments.as_slice()
                && let Some(variable) = slot(text, variables)
            {
                found.push(Guard::Begins { variable, with: with.clone() });
            }
        }
        _ => {}
    }
}

/// What either of two conditions asks of the same variable.
fn either(left: &Node, right: &Node, variables: usize) -> Option<Guard> {
    match (of(left, variables).as_slice(), of(right, variables).as_slice()) {
        ([Guard::OneOf { variable, values }], [Guard::OneOf { variable: same, values: others }]) if variable == same => {
            Some(Guard::OneOf { variable: *variable, values: [values.as_slice(), others].concat() })
        }
        _ => None,
    }
}

/// The values that a test accepts, if those are all.
fn accepted(test: &Test) -> Option<Vec<Value>> {
    match test {
        Test::Expression(Node::List(items)) => items.iter().map(constant).collect(),
        Test::Expression(Node::Constant(Value::List(items))) => items.iter().map(plain).collect(),
        Test::Expression(node) | Test::Compare(Comparison::Equal, node) => Some(vec![constant(node)?]),
        _ => None,
    }
}

fn slot(node: &Node, variables: usize) -> Option<usize> {
    match node {
        Node::Slot(slot) if *slot < variables => Some(*slot),
        _ => None,
    }
}

fn constant(node: &Node) -> Option<Value> {
    match node {
        Node::Constant(value) => plain(value),
        _ => None,
    }
}

fn plain(value: &Value) -> Option<Value> {
    matches!(value, Value::Text(_) | Value::Number(_) | Value::Boolean(_)).then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Expression, Scope, to_json};

    fn shown(guard: &Guard) -> String {
        match guard {
            Guard::OneOf { variable, values } => {
                let values: Vec<String> = values.iter().map(|value| to_json(value).to_string()).collect();
                format!("{variable} in {}", values.join(" "))
            }
            Guard::Begins { variable, with } => format!("{variable} begins {with}"),
        }
    }

    #[test]
    fn what_must_hold_is_told_from_the_form() {
        let scope = Scope::of(&["code", "channel", "request.customer.segment"]);
        let cases: [(&str, &[&str]); 11] = [
            ("code = \"a\"", &["0 in \"a\""]),
            ("\"a\" = code and channel = \"web\" and code != \"b\"", &["0 in \"a\"", "1 in \"web\""]),
            ("request.customer.segment in (\"gold\", \"silver\")", &["2 in \"gold\" \"silver\""]),
            ("request.customer.segment in [\"gold\", true] and code = 7", &["2 in \"gold\" true", "0 in 7"]),
            ("code = 1 or code = 2 or code = 3", &["0 in 1 2 3"]),
            ("code = 1 or channel = \"web\"", &[]),
            ("starts with(code, \"40\") and true", &["0 begins 40"]),
            ("not(code = 1)", &[]),
            ("code in (1, [2..5])", &[]),
            ("code = channel", &[]),
            ("some x in [1, 2] satisfies x = code", &[]),
        ];
        for (text, expected) in cases {
            let guards = Expression::compile(text, &scope).unwrap().guards();
            assert_eq!(guards.iter().map(shown).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
