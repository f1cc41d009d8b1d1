//! Folds of the journal into SQLite tables, with the position in the same transaction.
//!
//! The journal is the truth; the file can be thrown away at any time and is built anew from it. One thread writes and is alone to
//! checkpoint; readers have connections of their own and see whole transactions only. Operators may open the file with their usual
//! tools, while the bus runs with `sqlite3 -readonly`: versions before 3.51.3 (Debian 12 has 3.40) can lose data when they write.

mod error;
mod fold;
mod metrics;
mod projection;
mod settings;
mod status;

pub use error::{OpenError, ReadError, Stopped};
pub use fold::{Fold, FoldError};
pub use metrics::METRICS;
pub use projection::Projection;
pub use rusqlite;
pub use settings::Settings;
pub use status::{Health, Status};
