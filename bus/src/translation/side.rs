//! The two sides: what customers are shown never has a type of the contracts in it; a translation stands between them.

use prost_reflect::FileDescriptor;

use crate::contract::Snapshot;

/// The option of a file that says on which side its messages live.
const SIDE: &str = "passerelle.side";

/// Files of the customers' side that import one of the contracts' side: `file imports file`, each once.
#[must_use]
pub fn side_breaches(snapshot: &Snapshot) -> Vec<String> {
    let mut breaches: Vec<String> =
        snapshot.newest().flat_map(|contract| contract.image.pool().files()).flat_map(|file| of(&file)).collect();
    breaches.sort();
    breaches.dedup();
    breaches
}

fn of(file: &FileDescriptor) -> Vec<String> {
    if side(file).as_deref() != Some("CUSTOMER") {
        return Vec::new();
    }
    let contracts = file.dependencies().filter(|import| side(import).as_deref() == Some("CONTRACT"));
    contracts.map(|import| format!("{} imports {}", file.name(), import.name())).collect()
}

/// The name of the side; nothing where the file does not say.
fn side(file: &FileDescriptor) -> Option<String> {
    let option = file.parent_pool().get_extension_by_name(SIDE)?;
    let number = file.options().get_extension(&option).as_enum_number()?;
    Some(option.kind().as_enum()?.get_value(number)?.name().to_owned())
}
