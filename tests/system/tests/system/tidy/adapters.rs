//! Adapters: a folder, a crate and a row in the table belong together.

use super::none;
use super::repository::{folders, root, text};

/// Folders beside the adapters that are none.
const NO_ADAPTERS: [&str; 5] = ["kit", "sdk", "server", "tls", "typed"];

#[test]
fn every_adapter_is_a_folder_a_crate_and_a_row() {
    let table = text("services/passerelle/src/adapters.rs");
    let mut findings = Vec::new();
    let adapters: Vec<String> = folders("adapters").into_iter().filter(|name| !NO_ADAPTERS.contains(&name.as_str())).collect();
    for name in &adapters {
        let manifest = std::fs::read_to_string(root().join(format!("adapters/{name}/Cargo.toml"))).unwrap_or_default();
        if !manifest.contains(&format!("name = \"adapter-{name}\"")) {
            findings.push(format!("adapters/{name} has no crate adapter-{name}"));
        }
        if !table.contains(&format!("adapter_{name}::")) {
            findings.push(format!("adapters/{name} has no row in the table"));
        }
    }
    for row in table.split("adapter_").skip(1) {
        let name: String = row.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_').collect();
        if row[name.len()..].starts_with("::") && !adapters.contains(&name) {
            findings.push(format!("the row adapter_{name} has no folder adapters/{name}"));
        }
    }
    none(findings, "Folder adapters/x, crate adapter-x, kind `x`: give it its row in services/passerelle/src/adapters.rs.");
}
