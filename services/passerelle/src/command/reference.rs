//! `passerelle reference`: the generated pages.

use crate::failure::Failure;
use crate::output::print;
use crate::reference;

/// Prints a page, or the list of all.
pub(super) fn run(name: Option<&str>) -> Result<(), Failure> {
    let pages = reference::pages();
    let Some(name) = name else {
        let lines = pages.iter().map(|page| format!("{:<16} {}\n", page.name, page.about));
        print(&lines.collect::<String>());
        return Ok(());
    };
    let names: Vec<&str> = pages.iter().map(|page| page.name).collect();
    let unknown = || Failure::plain(format!("there is no page `{name}`; there are {}", names.join(", ")));
    let page = pages.iter().find(|page| page.name == name).ok_or_else(unknown)?;
    print(&(page.text)());
    Ok(())
}
