//! Decisions of DMN 1.3, 1.4 and 1.5: a model is read and compiled once, and evaluated often, within limits.
//!
//! ```text
//! Model::read(xml, &[imported xml…])   -> Result<Model, ReadError>      line and column of what is wrong
//! Model::tolerant(xml, &[…])           -> Result<Model, ReadError>      expressions that cannot be read are null; Model::faults lists them
//! Model::evaluate(name or id, &inputs, &Environment) -> Result<Decided, DecideError>      a decision
//! Model::call(name or id, &arguments, &Environment)  -> Result<Decided, DecideError>      a knowledge model or a decision service
//! Model::certify(name or id, &inputs, &Environment)  -> Result<Certificate, DecideError>  the same with its reasons
//! Model::what_if(&Certificate)         -> Result<Vec<Change>, DecideError>
//! Certificate::{to_json, from_json, verify(&Model)}, Change::to_json; both are shown as people read them (Display)
//! Model::tables()                      -> the decision tables as read: DecisionTable, InputClause, OutputClause, Rule
//! cover::examine(&table.into())        -> the completeness report of one of them
//! ```
//!
//! Everything is lowered to the tree of FEEL expressions: a boxed expression is the FEEL it stands for, a decision table a node of
//! its own, a business knowledge model and a decision service a function. So one budget covers a decision with all it needs.

mod boxed;
mod certificate;
mod change;
mod constant;
pub mod cover;
mod definitions;
mod item;
mod load;
mod model;
mod reasons;
mod service;
mod table;
pub mod tck;
mod trace;
mod written;
mod xml;

pub use certificate::{Certificate, CertificateError, Close, Hit, Step};
pub use change::Change;
pub use model::{DecideError, Decided, Model};
pub use table::{Aggregation, DecisionTable, HitPolicy, InputClause, OutputClause, Rule};
pub use trace::Element;
pub(crate) use trace::{Named, Trace};
pub use xml::ReadError;
