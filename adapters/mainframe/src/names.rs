//! z/OS names on the wire: eight bytes, padded with blanks.

use passerelle_copybook::CodePage;

/// Every name has this many bytes on the wire.
pub(crate) const NAME_BYTES: usize = 8;

/// The name in `code_page`, padded with blanks. The error does not repeat the text: it may be a password.
pub(crate) fn padded_name(name: &str, code_page: CodePage) -> Result<[u8; NAME_BYTES], String> {
    let encode = |c: char| code_page.encode(c).ok_or_else(|| format!("a character is not in code page {code_page}"));
    let mut bytes = [encode(' ')?; NAME_BYTES];
    let mut rest = bytes.iter_mut();
    for c in name.chars() {
        let place = rest.next().ok_or("it has more than 8 characters")?;
        *place = encode(c)?;
    }
    Ok(bytes)
}

/// Whether this is a z/OS name: at most 8 of A-Z, 0-9, @, # and $.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_fit = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '@' | '#' | '$');
    match name.len() <= 8 && name.chars().all(is_fit) {
        true => Ok(()),
        false => Err(format!("`{name}` is no z/OS name: at most 8 of A-Z, 0-9, @, # and $")),
    }
}
