//! Pages of a list: how many, and after which name.

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
    /// The last name of the page before; empty at the beginning: no name is.
    pub(crate) after: String,
}

impl Page {
    pub(crate) fn new(size: u32, token: &str) -> Result<Self, Fault> {
        let after = HEXLOWER.decode(token.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let after = after.ok_or_else(|| invalid("page_token is none that this store gave"))?;
        Ok(Self { size: size_of_page(size)?, after })
    }

    /// The token of the page after the one that ends with `name`.
    pub(crate) fn token(name: &str) -> String {
        HEXLOWER.encode(name.as_bytes())
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
