//! The rules as tables: what each command changes, in each state.

use std::collections::BTreeMap;

use super::{Lines, lines as open};
use crate::customer::callback::line::CallbackSettings;

/// Monday the 23rd of November 2026, nine o'clock UTC.
pub(in super::super) const NINE: i64 = 1_795_424_400;

/// One line, `sales`, open from nine to noon, slots of half an hour.
pub(in super::super) fn lines(capacity: u32, searches: u32) -> Lines {
    let week: BTreeMap<&str, Vec<&str>> =
        ["monday", "tuesday", "wednesday", "thursday", "friday"].into_iter().map(|day| (day, vec!["09:00-12:00"])).collect();
    let line = serde_json::json!({
        "desk": "advisers", "time_zone": "UTC", "open": week, "slot_seconds": 1800, "capacity": capacity,
        "attempts": 2, "searches": searches, "retry_seconds": 600,
    });
    let settings: CallbackSettings = serde_json::from_value(serde_json::json!({ "lines": { "sales": line } })).expect("settings");
    open(&settings)
}
