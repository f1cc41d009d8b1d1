//! `passerelle explain`: an error's meaning and the way out.

use crate::explain::{self, Code};
use crate::failure::Failure;
use crate::output::print;

/// Prints the page of `code`, or the list of all.
pub(super) fn run(code: Option<&str>) -> Result<(), Failure> {
    let Some(text) = code else {
        let lines = explain::codes().map(|code| format!("{code}  {}\n", code.title()));
        print(&lines.collect::<String>());
        return Ok(());
    };
    let unknown = || Failure::plain(format!("there is no error code `{text}`; `passerelle explain` lists them all"));
    print(Code::find(text).ok_or_else(unknown)?.page());
    Ok(())
}
