//! `passerelle explain`: an error's meaning and the way out.

use crate::explain::{self, Code};
use crate::failure::Failure;

/// Prints the page of `code`, or the list of all.
pub(super) fn run(code: Option<&str>) -> Result<(), Failure> {
    let Some(code) = code else {
        for code in explain::codes() {
            println!("{code}  {}", code.title());
        }
        return Ok(());
    };
    match Code::find(code) {
        Some(code) => println!("{}", code.page().trim_end()),
        None => return Err(Failure::plain(format!("there is no error code `{code}`; `passerelle explain` lists them all"))),
    }
    Ok(())
}
