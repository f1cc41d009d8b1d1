//! The page of all error codes.

use crate::explain;

/// Every code's page, one below the other.
pub(super) fn page() -> String {
    let mut text =
        "# Errors\n\nEvery error code, what it means and the way out. `passerelle explain CODE` prints one.\n".to_owned();
    for code in explain::codes() {
        // One level down: the pages have a title of their own.
        for line in code.page().trim_end().lines() {
            let deeper = if line.starts_with('#') { "#" } else { "" };
            text.push_str(&format!("\n{deeper}{line}"));
        }
        text.push('\n');
    }
    text
}
