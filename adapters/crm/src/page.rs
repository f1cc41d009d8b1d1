//! Pages of a list: how many, and after which one.

use data_encoding::HEXLOWER;
use passerelle_adapter::Fault;

use crate::wire::invalid;

/// Entries of a page when nothing is asked.
const USUAL: u32 = 100;
/// Most entries of a page.
const MOST: u32 = 1_000;

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Entries at most.
    pub(crate) size: usize,
    /// The id that the page before ended with; empty at the beginning: no id is.
    pub(crate) after: String,
}

impl Page {
    pub(crate) fn new(size: u32, token: &str) -> Result<Self, Fault> {
        let after = HEXLOWER.decode(token.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after = after.ok_or_else(|| invalid("page_token is none that this CRM gave"))?;
        Ok(Self { size: size_of_page(size)?, after })
    }

    /// The token of the page after the one that ends with this id.
    pub(crate) fn token(id: &str) -> String {
        HEXLOWER.encode(id.as_bytes())
    }
}

/// The entries of a page that a caller may ask for.
pub(crate) fn size_of_page(asked: u32) -> Result<usize, Fault> {
    match asked {
        0 => Ok(USUAL as usize),
        size if size <= MOST => Ok(size as usize),
        size => Err(invalid(format!("page_size is {size}, at most {MOST} are given"))),
    }
}
