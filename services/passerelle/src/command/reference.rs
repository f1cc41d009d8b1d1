//! `passerelle reference`: the generated pages.

use crate::failure::Failure;
use crate::reference;

/// Prints a page, or the list of all.
pub(super) fn run(name: Option<&str>) -> Result<(), Failure> {
    let Some(name) = name else {
        for page in reference::pages() {
            println!("{:<16} {}", page.name, page.about);
        }
        return Ok(());
    };
    let found = reference::pages().into_iter().find(|page| page.name == name);
    let Some(page) = found else {
        let names: Vec<&str> = reference::pages().iter().map(|page| page.name).collect();
        return Err(Failure::plain(format!("there is no page `{name}`; there are {}", names.join(", "))));
    };
    print!("{}", (page.text)());
    Ok(())
}
