//! The page of the adapters that are built in.

use super::fields;
use crate::adapters;

/// Every adapter: maturity, what for, the fields of its file.
pub(super) fn page() -> String {
    let mut text =
        "# Adapters\n\nThe adapters that are built in. An endpoint names one with `adapter:` and its file with `file:`.\n"
            .to_owned();
    for kind in adapters::table() {
        text.push_str(&format!("\n## {}\n\n{}. Maturity: {}.\n\n", kind.name(), kind.summary(), kind.maturity().as_str()));
        text.push_str(&fields::markdown(&kind.settings_schema()));
    }
    text
}
