//! Expressions that are the same at every evaluation, and their values.

use crate::environment::Environment;
use crate::evaluate::Evaluation;
use crate::node::Node;
use crate::value::Value;

/// Functions that make the values which FEEL has no literals for.
const MAKERS: [&str; 5] = ["date", "time", "date and time", "duration", "years and months duration"];

fn is_constant(node: &Node) -> bool {
    match node {
        Node::Constant(_) => true,
        Node::Negate(node) => is_constant(node),
        Node::List(nodes) => nodes.iter().all(is_constant),
        Node::Range { start, end, .. } => is_constant(start) && is_constant(end),
        Node::Builtin(function, nodes) => MAKERS.contains(&function.name) && nodes.iter().all(is_constant),
        _ => false,
    }
}

/// The value of such an expression; nothing for any other, and for one that is a mistake (`[9..3]`, `date("soon")`): it leaves a
/// warning each time.
pub(super) fn value(node: &Node) -> Option<Value> {
    if !is_constant(node) {
        return None;
    }
    let mut evaluation = Evaluation::new(&Environment::timeless());
    let value = evaluation.begin(node, &[]).ok()?;
    evaluation.into_warnings().is_empty().then_some(value)
}

/// Such an expression as its value; any other as it is.
pub(super) fn fold(node: Node) -> Node {
    value(&node).map_or(node, Node::Constant)
}
