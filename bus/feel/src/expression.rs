//! An expression, compiled once and evaluated often.

use std::sync::Arc;

use crate::environment::Environment;
use crate::error::SyntaxError;
use crate::evaluate::Evaluation;
use crate::guard::{self, Guard};
use crate::limits::Exceeded;
use crate::node::Node;
use crate::parse::Parser;
use crate::types::Type;
use crate::value::Value;

/// The names that an expression may use, in the order in which their values are handed in.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Variables. `?` is the value that unary tests look at.
    pub names: Vec<Arc<str>>,
    /// Types that `instance of` may name besides those of FEEL.
    pub types: Vec<(Arc<str>, Type)>,
    /// Names of entries that hold spaces or signs: without a declaration they could not be told from two names.
    pub entries: Vec<Arc<str>>,
}

impl Scope {
    /// A scope of these variables.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        Self { names: names.iter().map(|name| Arc::from(*name)).collect(), ..Self::default() }
    }
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    node: Node,
    names: usize,
    /// Names that the expression uses and the scope does not know: they are null.
    pub unknown: Vec<Arc<str>>,
}

/// A value, and what was odd on the way to it.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The value; null also stands for an error, which then is among the warnings.
    pub value: Value,
    /// What was not as it should be.
    pub warnings: Vec<String>,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The text is no expression; the error says where.
    pub fn compile(text: &str, scope: &Scope) -> Result<Self, SyntaxError> {
        Self::read(text, scope, false)
    }

    /// Compiles unary tests, such as a decision table's cell holds: `> 5, [1..3]`. The scope has the name `?`.
    ///
    /// # Errors
    /// The text is none; the error says where.
    pub fn compile_tests(text: &str, scope: &Scope) -> Result<Self, SyntaxError> {
        Self::read(text, scope, true)
    }

    fn read(text: &str, scope: &Scope, tests: bool) -> Result<Self, SyntaxError> {
        let (node, unknown) = Parser::new(text, scope).whole(tests)?;
        Ok(Self { node, names: scope.names.len(), unknown })
    }

    /// Evaluates the expression with one value for each name of the scope (null for those that are missing).
    ///
    /// # Errors
    /// A limit was met; the error says which.
    pub fn evaluate(&self, values: &[Value], environment: &Environment) -> Result<Evaluated, Exceeded> {
        let mut evaluation = Evaluation::new(environment);
        let value = evaluation.begin(&self.node, &values[..values.len().min(self.names)])?;
        Ok(Evaluated { value, warnings: evaluation.into_warnings() })
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// What must hold for it to be true, as far as its form tells.
    #[must_use]
    pub fn guards(&self) -> Vec<Guard> {
        guard::of(&self.node, self.names)
    }

    /// Whether the tests hold for a value that stands in the first slot.
    pub(crate) fn holds_for(&self, value: &Value, evaluation: &mut Evaluation) -> Result<bool, Exceeded> {
        evaluation.holds_for(&self.node, value)
    }
}
