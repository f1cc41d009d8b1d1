//! The descriptors of a contract: checked, resolved, and kept byte for byte.

mod check;
#[cfg(test)]
mod edition_tests;
mod editions;
mod error;
mod imports;
pub(super) mod raw;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use prost::Message;
use prost_reflect::DescriptorPool;

use super::digest::Digest;
pub use error::ImageError;

/// Bytes an image may have: sixteen times what a bank's whole API takes with comments.
pub const MAX_IMAGE_BYTES: usize = 16 * 1024 * 1024;
/// Files an image may have.
pub const MAX_FILES: usize = 2_000;

/// The files of one contract version, with all they import.
///
/// Holds each file as it was handed in (editions, custom options and comments included), which is what reflection
/// serves; and a [`DescriptorPool`] over a normalised copy, which is what the bus decodes with.
#[derive(Clone)]
pub struct Image {
    bytes: Bytes,
    pool: DescriptorPool,
    files: Vec<ImageFile>,
    places: HashMap<String, usize>,
    digest: Digest,
}

/// One file of an [`Image`].
#[derive(Debug, Clone)]
pub struct ImageFile {
    /// Import path: `bank/accounts/v1/accounts.proto`.
    pub name: String,
    /// Its package, empty if it has none.
    pub package: String,
    /// The `FileDescriptorProto` as it was handed in.
    pub bytes: Bytes,
    /// Import paths of what it imports.
    pub imports: Vec<String>,
    /// Whether whoever built the image said that the file is only there because others import it (buf does).
    pub is_import: bool,
}

impl Image {
    /// Reads a `google.protobuf.FileDescriptorSet`, or a buf image (the same with marks).
    ///
    /// # Errors
    /// Anything that is not a complete, resolvable set of descriptors within the limits. Never panics, whatever the bytes.
    pub fn decode(bytes: impl Into<Bytes>) -> Result<Self, ImageError> {
        let bytes = bytes.into();
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(ImageError::TooLarge { found: bytes.len(), limit: MAX_IMAGE_BYTES });
        }
        let parts = split(&bytes)?;
        let mut raw = parts
            .iter()
            .enumerate()
            .map(|(place, part)| {
                raw::File::decode(part.as_ref())
                    .map_err(|error| ImageError::NotDescriptors { file: Some(place + 1), reason: error.to_string() })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let files: Vec<_> = raw.iter().zip(parts).map(|(file, part)| image_file(file, part)).collect();
        let places = places(&files)?;
        for file in &mut raw {
            editions::normalise(file)?;
            check::check(file)?;
        }
        imports::resolve(&mut raw)?;
        let digest = digest(&raw);
        let pool = build(raw::Set { file: raw })?;
        Ok(Self { bytes, pool, files, places, digest })
    }

    /// The image as it was handed in.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its types, for decoding. Editions are written as proto2 or proto3 here.
    pub fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// Its files, in the order they were handed in.
    pub fn files(&self) -> &[ImageFile] {
        &self.files
    }

    /// The file with that import path.
    pub fn file(&self, name: &str) -> Option<&ImageFile> {
        self.places.get(name).map(|&place| &self.files[place])
    }

    /// What the image says, whoever compiled it: without comments and without the order of its files.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Image({} files, {})", self.files.len(), self.digest)
    }
}

fn image_file(file: &raw::File, bytes: Bytes) -> ImageFile {
    ImageFile {
        name: file.name().to_owned(),
        package: file.package.clone().unwrap_or_default(),
        bytes,
        imports: file.dependency.clone(),
        is_import: file.buf.and_then(|mark| mark.is_import).unwrap_or_default(),
    }
}

fn places(files: &[ImageFile]) -> Result<HashMap<String, usize>, ImageError> {
    let mut places = HashMap::with_capacity(files.len());
    for (place, file) in files.iter().enumerate() {
        if file.name.is_empty() {
            let reason = "a file has no name".to_owned();
            return Err(ImageError::NotDescriptors { file: Some(place + 1), reason });
        }
        if places.insert(file.name.clone(), place).is_some() {
            return Err(ImageError::DuplicateFile { file: file.name.clone() });
        }
    }
    Ok(places)
}

/// A `FileDescriptorSet` read no deeper than its files.
#[derive(Clone, PartialEq, Message)]
struct Parts {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    file: Vec<Bytes>,
}

fn split(bytes: &Bytes) -> Result<Vec<Bytes>, ImageError> {
    let parts =
        Parts::decode(bytes.clone()).map_err(|error| ImageError::NotDescriptors { file: None, reason: error.to_string() })?.file;
    match parts.len() {
        0 => Err(ImageError::Empty),
        found if found > MAX_FILES => Err(ImageError::TooManyFiles { found, limit: MAX_FILES }),
        _ => Ok(parts),
    }
}

fn build(set: raw::Set) -> Result<DescriptorPool, ImageError> {
    let bytes = set.encode_to_vec();
    // The checks before this leave no panic that we know of; a forged `google/protobuf/descriptor.proto` could still find
    // one (the library reads options by it), and the daemon must outlive it.
    match catch_unwind(AssertUnwindSafe(|| DescriptorPool::decode(bytes.as_slice()))) {
        Ok(Ok(pool)) => Ok(pool),
        Ok(Err(error)) => Err(ImageError::Unresolvable(describe(&error))),
        Err(panic) => Err(ImageError::Library(panic_text(panic.as_ref()))),
    }
}

fn describe(error: &prost_reflect::DescriptorError) -> String {
    let position = match (error.line(), error.column()) {
        (Some(line), Some(column)) => format!(":{}:{}", line + 1, column + 1),
        _ => String::new(),
    };
    match error.file() {
        Some(file) => format!("{file}{position}: {error}"),
        None => error.to_string(),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}

/// What the files say: without comments, without the order of the files, and without what a compiler may write or leave out.
fn digest(files: &[raw::File]) -> Digest {
    let mut parts: Vec<_> = files
        .iter()
        .map(|file| {
            let mut file = raw::File { source_code_info: Vec::new(), buf: None, ..file.clone() };
            file.message_type.iter_mut().for_each(drop_usual_json_names);
            file.extension.iter_mut().for_each(|extension| extension.json_name = None);
            (file.name().to_owned(), file.encode_to_vec())
        })
        .collect();
    parts.sort();
    Digest::of(parts.iter().map(|(_, file)| file))
}

/// Some compilers write every field's JSON name, some only those that are not as usual.
fn drop_usual_json_names(message: &mut raw::MessageType) {
    for field in &mut message.field {
        if field.json_name.as_deref() == Some(&usual_json_name(field.name())) {
            field.json_name = None;
        }
    }
    message.extension.iter_mut().for_each(|extension| extension.json_name = None);
    message.nested_type.iter_mut().for_each(drop_usual_json_names);
}

/// `some_name` becomes `someName` (the JSON mapping of protobuf).
pub(super) fn usual_json_name(name: &str) -> String {
    let mut usual = String::with_capacity(name.len());
    let mut after_underscore = false;
    for character in name.chars() {
        match character {
            '_' => after_underscore = true,
            _ if after_underscore => {
                usual.push(character.to_ascii_uppercase());
                after_underscore = false;
            }
            _ => usual.push(character),
        }
    }
    usual
}
