//! Servers that no longer say what was registered. Nothing that is served changes by it: it is an alarm.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use metrics::Unit;

/// Contracts whose server says something else by now.
const CONTRACTS_DRIFTED: &str = "passerelle_contracts_drifted";

/// Every metric of the registry with its unit and meaning.
pub const METRICS: [(&str, Unit, &str); 1] =
    [(CONTRACTS_DRIFTED, Unit::Count, "contracts whose server tells something else by reflection than what is registered")];

/// What a server says that is not what was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The server.
    pub address: String,
    /// When it was seen first.
    pub seen_at: SystemTime,
    /// What would break if it were registered, a line each; none if it is compatible.
    pub broken: Vec<String>,
}

/// What a look at a contract's servers shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// No contract of that name is registered.
    Unknown,
    /// What is registered.
    Same,
    /// Something else; `news` if that was not seen before.
    Drifted {
        /// What it says.
        drift: Drift,
        /// Whether it differs from what was seen last.
        news: bool,
    },
}

/// The drifts of this moment, by contract.
#[derive(Debug, Default)]
pub(super) struct Drifts(Mutex<BTreeMap<String, Drift>>);

impl Drifts {
    /// Notes what was seen of a contract's server; `None` that it says what is registered. Tells whether that is news.
    pub(super) fn note(&self, contract: &str, drift: Option<Drift>) -> bool {
        let mut drifts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = match drift {
            Some(drift) => {
                let since = drifts.get(contract).filter(|before| before.broken == drift.broken).map(|before| before.seen_at);
                drifts.insert(contract.to_owned(), Drift { seen_at: since.unwrap_or(drift.seen_at), ..drift });
                since.is_none()
            }
            None => drifts.remove(contract).is_some(),
        };
        metrics::gauge!(CONTRACTS_DRIFTED).set(drifts.len() as f64);
        news
    }

    pub(super) fn of(&self, contract: &str) -> Option<Drift> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(contract).cloned()
    }
}
