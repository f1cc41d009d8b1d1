//! The compiled form of an expression: a tree in which every name is already a slot.

use std::sync::Arc;

use crate::builtin::Builtin;
use crate::types::Type;
use crate::value::Value;

/// One step of an expression.
#[derive(Debug)]
pub(crate) enum Node {
    Constant(Value),
    Slot(usize),
    /// In a filter: the item's own entry of this name, if it has one.
    Entry {
        item: usize,
        name: Arc<str>,
        otherwise: Box<Node>,
    },
    Unknown(Arc<str>),
    Negate(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Between(Box<[Node; 3]>),
    In {
        slot: usize,
        value: Box<Node>,
        tests: Vec<Test>,
    },
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    If(Box<[Node; 3]>),
    For {
        iterators: Vec<Iterator>,
        partial: Option<usize>,
        body: Box<Node>,
    },
    Quantified {
        every: bool,
        iterators: Vec<Iterator>,
        body: Box<Node>,
    },
    List(Vec<Node>),
    Context(Vec<(Arc<str>, usize, Node)>),
    Range {
        start: Box<Node>,
        start_included: bool,
        end: Box<Node>,
        end_included: bool,
        outside: bool,
        compared: bool,
    },
    Path(Box<Node>, Arc<str>),
    Filter {
        list: Box<Node>,
        item: usize,
        condition: Box<Node>,
        /// Of a boxed filter: a condition that is no boolean is an error.
        boxed: bool,
    },
    Function(Arc<Body>),
    Call(Box<Node>, Vec<Node>),
    CallNamed(Box<Node>, Vec<(Arc<str>, Node)>),
    Builtin(&'static Builtin, Vec<Node>),
    InstanceOf(Box<Node>, Type),
    /// A decision table of a model.
    Table(Arc<crate::dmn::DecisionTable>),
    /// What a model names: a decision, a business knowledge model, an entry of a boxed context.
    Named(Box<crate::dmn::Named>),
    /// Tests of a decision table's cell on the value in a slot.
    Tests {
        slot: usize,
        tests: Vec<Test>,
        negated: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `name in domain`, the domain a list or from one value to another.
#[derive(Debug)]
pub(crate) struct Iterator {
    pub(crate) slot: usize,
    pub(crate) domain: Node,
    pub(crate) to: Option<Node>,
}

/// A unary test.
#[derive(Debug)]
pub(crate) enum Test {
    Any,
    Compare(Comparison, Node),
    /// An expression that names its input (`?`) and so says itself whether it holds.
    Condition(Node),
    Expression(Node),
    Not(Vec<Test>),
}

/// What a function definition compiles to.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) parameters: Vec<(Arc<str>, Type)>,
    /// Slots of the frame around it, and the slot of the function's own that each is copied to.
    pub(crate) captures: Vec<(usize, usize)>,
    /// The slot that holds the function itself, before those of the parameters.
    pub(crate) itself: Option<usize>,
    pub(crate) slots: usize,
    pub(crate) code: Node,
    pub(crate) result: Type,
}
