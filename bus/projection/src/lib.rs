//! Folds of the journal into SQLite tables, with the position in the same transaction.

mod fold;

pub use fold::{Fold, FoldError};
pub use rusqlite;
