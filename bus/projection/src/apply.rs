//! One record into the tables, and what can stand against it.

use std::sync::Arc;

use passerelle_journal::{Position, Stored};
use passerelle_proto::bus::v1::Record;
use prost::Message as _;
use rusqlite::{ErrorCode, Transaction};

use crate::tables::Followed;
use crate::{FoldError, Stopped};

/// Why a transaction was not committed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A record cannot be folded, now or ever.
    Record(Stopped),
    /// It clears by itself.
    Held(Arc<str>),
    /// The database does not do what it should.
    Broken(Arc<str>),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Held("no room on the disk for the views; free some".into()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::Held("another program is writing to the views' file; end that program".into())
            }
            _ => Self::Broken(error.to_string().into()),
        }
    }
}

/// Lets every fold that wants the record, and has not seen it, apply it.
pub(crate) fn apply(transaction: &Transaction<'_>, folds: &mut [Followed], stored: &Stored) -> Result<(), Trouble> {
    let (position, published) = (stored.position, stored.entry.step.is_none());
    let wants = |followed: &&mut Followed| followed.position < position && (followed.fold.published() || !published);
    let mut wanting = folds.iter_mut().filter(wants).peekable();
    if wanting.peek().is_none() {
        return Ok(());
    }
    let record = Record::decode(stored.entry.data.clone())
        .map_err(|error| cannot(position, format!("its bytes are not a Record: {error}")))?;
    for followed in wanting {
        match followed.fold.apply(transaction, position, &record) {
            Ok(()) => {}
            Err(FoldError::Database(error)) => {
                return Err(match Trouble::from(error) {
                    Trouble::Broken(why) => cannot(position, format!("view {}: {why}", followed.fold.name())),
                    other => other,
                });
            }
            Err(FoldError::Record(why)) => return Err(cannot(position, format!("view {}: {why}", followed.fold.name()))),
        }
    }
    Ok(())
}

pub(crate) fn cannot(position: Position, why: String) -> Trouble {
    Trouble::Record(Stopped { position, why: why.into() })
}
