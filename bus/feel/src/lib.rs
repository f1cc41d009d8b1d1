//! FEEL, the expression language of DMN 1.5, evaluated within limits: no expression can abort, stall or reach out of the process.

mod builtin;
pub mod dmn;
mod duration;
mod environment;
mod error;
mod evaluate;
mod expression;
mod guard;
mod infer;
mod json;
mod limits;
mod node;
mod number;
mod parse;
pub mod temporal;
mod text;
mod types;
mod value;

pub use environment::Environment;
pub use error::SyntaxError;
pub use evaluate::Function;
pub use expression::{Evaluated, Expression, Scope};
pub use guard::Guard;
pub use infer::{Inferred, Schema, Shape, Span, infer};
pub use json::{from_json, to_json};
pub use limits::{Exceeded, Limits};
pub use number::{NotANumber, Number, Rounding};
pub use types::Type;
pub use value::{Context, Range, Value, compare, equal};
