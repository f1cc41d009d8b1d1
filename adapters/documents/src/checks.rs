//! What names, metadata and other texts of a request may be. The limits are those of the contract, the same for every driver.

use std::collections::BTreeMap;

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::documents::v1::Reference;

use crate::wire::invalid;

/// Longest name, in bytes: with what a driver adds, it fits the 255 of file systems.
const LONGEST_NAME: usize = 180;
/// Most names in a folder's path.
const DEEPEST: usize = 8;
/// Most entries of metadata.
const MOST_ENTRIES: usize = 32;
/// Longest key of an entry, in bytes.
const LONGEST_KEY: usize = 64;
/// Longest value of an entry, in bytes.
const LONGEST_VALUE: usize = 1024;
/// Longest media type, in bytes (RFC 6838 allows 127 on each side of the stroke).
const LONGEST_MEDIA_TYPE: usize = 255;
/// Longest version, cursor and idempotency key, in bytes.
const LONGEST_TOKEN: usize = 256;
/// Names that begin so are the adapter's own.
pub(crate) const OWN: &str = ".passerelle";

/// The document that a request names.
pub(crate) fn reference(reference: Option<Reference>) -> Result<Reference, Fault> {
    let reference = reference.ok_or_else(|| invalid("reference is missing"))?;
    folder(&reference.folder)?;
    name("name", &reference.name)?;
    Ok(reference)
}

/// A folder: empty, or names with `/` between them.
pub(crate) fn folder(folder: &str) -> Result<(), Fault> {
    if folder.is_empty() {
        return Ok(());
    }
    if folder.split('/').count() > DEEPEST {
        return Err(invalid(format!("folder has more than {DEEPEST} names")));
    }
    folder.split('/').try_for_each(|part| name("a name in folder", part))
}

/// No value is repeated: names may be those of people.
fn name(what: &str, name: &str) -> Result<(), Fault> {
    let no = |why: &str| Err(invalid(format!("{what} {why}")));
    match name {
        "" => no("is empty"),
        "." | ".." => no("must not be `.` or `..`"),
        _ if name.len() > LONGEST_NAME => no(&format!("has {} bytes, at most {LONGEST_NAME} are taken", name.len())),
        _ if name.contains(['/', '\\']) => no("must have neither `/` nor `\\`"),
        _ if name.contains(unwritable) => no("must have no control characters"),
        _ if name.starts_with(OWN) => no(&format!("must not begin with `{OWN}`")),
        _ if name.trim() != name => no("must not begin or end with a space"),
        _ => Ok(()),
    }
}

/// What XML 1.0 cannot write, and what no person can see.
fn unwritable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

/// What is known of a document.
pub(crate) fn metadata(metadata: &BTreeMap<String, String>) -> Result<(), Fault> {
    if metadata.len() > MOST_ENTRIES {
        return Err(invalid(format!("metadata has {} entries, at most {MOST_ENTRIES} are taken", metadata.len())));
    }
    for (number, (key, value)) in metadata.iter().enumerate() {
        let entry = number + 1;
        let written = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        if key.len() > LONGEST_KEY || !key.starts_with(|c: char| c.is_ascii_lowercase()) || !key.chars().all(written) {
            let rule = format!("1 to {LONGEST_KEY} of a-z, 0-9, `_`, `-` and `.`, beginning with a letter");
            return Err(invalid(format!("the key of entry {entry} of metadata must be {rule}")));
        }
        if value.len() > LONGEST_VALUE {
            let length = value.len();
            return Err(invalid(format!(
                "the value of `{key}` in metadata has {length} bytes, at most {LONGEST_VALUE} are taken"
            )));
        }
        if value.contains(unwritable) {
            return Err(invalid(format!("the value of `{key}` in metadata must have no control characters")));
        }
    }
    Ok(())
}

/// What the content is; the usual type when nothing is said.
pub(crate) fn media_type(text: String) -> Result<String, Fault> {
    if text.is_empty() {
        return Ok("application/octet-stream".to_owned());
    }
    let visible = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if text.len() > LONGEST_MEDIA_TYPE || !visible || text.split('/').count() != 2 {
        return Err(invalid(format!(
            "media_type must be like `application/pdf`, in at most {LONGEST_MEDIA_TYPE} ASCII characters"
        )));
    }
    Ok(text)
}

/// A version or a cursor; empty is `None`.
pub(crate) fn token(what: &str, text: String) -> Result<Option<String>, Fault> {
    match text.len() {
        0 => Ok(None),
        length if length > LONGEST_TOKEN => Err(invalid(format!("{what} has {length} bytes, at most {LONGEST_TOKEN} are taken"))),
        _ => Ok(Some(text)),
    }
}

/// A SHA-256 as people write it; empty is `None`.
pub(crate) fn sha256(text: String) -> Result<Option<String>, Fault> {
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    match text.len() {
        0 => Ok(None),
        64 if hexadecimal(&text) => Ok(Some(text)),
        _ => Err(invalid("sha256 must be 64 lower-case hexadecimal digits")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_name_is_refused_with_the_reason_and_without_the_name() {
        let longest = "x".repeat(LONGEST_NAME);
        let longer = format!("{longest}x");
        for good in ["a", "contrat été 2026.pdf", "東京", "a+b&c#d?e%41", "..a", longest.as_str()] {
            assert_eq!(name("name", good), Ok(()), "{good}");
        }
        let bad = ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0", " a", "a\u{202f}", ".passerelle", ".passerelle-x", &longer];
        let refusals = bad.map(|bad| name("name", bad).map_or_else(|fault| fault.to_string(), |()| format!("taken: {bad}")));
        expect![[r#"
            name is empty
            name must not be `.` or `..`
            name must not be `.` or `..`
            name must have neither `/` nor `\`
            name must have neither `/` nor `\`
            name must have no control characters
            name must have no control characters
            name must not begin or end with a space
            name must not begin or end with a space
            name must not begin with `.passerelle`
            name must not begin with `.passerelle`
            name has 181 bytes, at most 180 are taken"#]]
        .assert_eq(&refusals.join("\n"));
        assert!(folder("a/b c/é").is_ok() && folder("").is_ok());
        assert!(["/a", "a/", "a//b", "../a", "a/..", "1/2/3/4/5/6/7/8/9"].iter().all(|bad| folder(bad).is_err()));
    }

    #[test]
    fn metadata_are_bounded_and_their_keys_are_names_in_xml() {
        let one = |key: &str, value: &str| metadata(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        assert!([("a", ""), ("customer.id", "4711"), ("a-b_c", " <é> ")].iter().all(|(key, value)| one(key, value).is_ok()));
        let long = "v".repeat(LONGEST_VALUE + 1);
        for (key, value) in [("", "v"), ("A", "v"), ("1a", "v"), ("a b", "v"), ("é", "v"), ("a", "x\ny"), ("a", &long)] {
            assert!(one(key, value).is_err(), "{key}={value}");
        }
    }
}
