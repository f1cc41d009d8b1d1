//! Folds of the journal into SQLite tables, with the position in the same transaction.
//!
//! The journal is the truth; the file can be thrown away at any time and is built anew from it. One thread writes and is alone to
//! checkpoint; readers have connections of their own and see whole transactions only. Operators may open the file with their usual
//! tools, while the bus runs with `sqlite3 -readonly`: versions before 3.51.3 (Debian 12 has 3.40) can lose data when they write.

mod apply;
mod checkpoint;
mod error;
mod file;
mod fold;
mod inspect;
mod observe;
mod projection;
mod readers;
mod settings;
mod status;
mod tables;
mod writer;

pub use error::{OpenError, ReadError, Stopped};
pub use fold::{Fold, FoldError};
pub use inspect::{Inspected, View};
pub use observe::{LAG, METRICS, POSITION};
pub use projection::Projection;
pub use rusqlite;
pub use settings::Settings;
pub use status::{Health, Status};
