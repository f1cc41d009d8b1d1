//! A model from its files, known by their digests.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use passerelle_feel::dmn::{Model, ReadError};
use ring::digest::{SHA256, digest};

use crate::failure::Failure;

/// Reads a model with those that it imports, strictly or not. Its version is the SHA-256 of its file; those of the imported follow.
pub(in crate::command) fn read(
    file: &Path,
    imports: &[PathBuf],
    reader: fn(&str, &[&str]) -> Result<Model, ReadError>,
) -> Result<Model, Failure> {
    let texts = [file].into_iter().chain(imports.iter().map(PathBuf::as_path)).map(text).collect::<Result<Vec<String>, _>>()?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let digests: Vec<String> = texts.iter().map(|text| HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())).collect();
    let model = reader(texts[0], &texts[1..]).map_err(|error| Failure::plain(format!("{}: {error}", file.display())))?;
    Ok(model.with_version(format!("sha256:{}", digests.join("+"))))
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::plain(format!("cannot read {}: {error}", path.display())))
}
