//! Reads recordings back, with file and line in every error. A last line that was cut is left out.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use data_encoding::BASE64;
use passerelle_bus::contract::Image;
use serde::de::DeserializeOwned;

use super::FORMAT;
use super::line::{Call, End, Header};

/// Bytes of one line: a call of 4 MiB as JSON, or an image of 16 MiB in base64, and room.
const MAX_LINE_BYTES: u64 = 32 * 1024 * 1024;
/// Calls of one file.
const MAX_CALLS: usize = 100_000;

/// A recording that was read.
pub(crate) struct Recording {
    pub(crate) header: Header,
    pub(crate) image: Image,
    /// Each with its line, from 1.
    pub(crate) calls: Vec<(usize, Call)>,
    /// Nothing if the file was cut.
    pub(crate) end: Option<End>,
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Recording, String> {
    let file = File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut lines = Lines { input: BufReader::new(file), number: 0 };
    let at = |number: usize, error: String| format!("{}:{number}: {error}", path.display());
    let first = lines.next().map_err(|error| at(1, error))?.unwrap_or_default();
    let header: Header = parse(&first).map_err(|error| at(1, format!("this is no recording: {error}")))?;
    if header.passerelle_recording != FORMAT {
        let found = header.passerelle_recording;
        return Err(at(1, format!("a recording of format {found}; this version reads format {FORMAT}")));
    }
    let bytes = BASE64.decode(header.descriptors.as_bytes()).map_err(|error| at(1, format!("descriptors: {error}")))?;
    let image = Image::decode(bytes).map_err(|error| at(1, format!("descriptors: {error}")))?;
    let (mut calls, mut end) = (Vec::new(), None);
    while let Some(line) = lines.next().map_err(|error| at(lines.number + 1, error))? {
        let number = lines.number;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Ok(last) = parse(&line) {
            end = Some(last);
            continue;
        }
        match parse(&line) {
            Ok(call) if calls.len() < MAX_CALLS => calls.push((number, call)),
            Ok(_) => return Err(at(number, format!("more than {MAX_CALLS} calls; split the file"))),
            // Whatever wrote it was ended in the middle.
            Err(_) if !line.ends_with(b"\n") => break,
            Err(error) => return Err(at(number, error)),
        }
    }
    Ok(Recording { header, image, calls, end })
}

struct Lines {
    input: BufReader<File>,
    number: usize,
}

impl Lines {
    fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut line = Vec::new();
        let read = self.input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if read as u64 == MAX_LINE_BYTES {
            return Err(format!("a line of more than {MAX_LINE_BYTES} bytes"));
        }
        self.number += 1;
        Ok((read > 0).then_some(line))
    }
}

/// With the path to what is wrong.
fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_slice(line);
    serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_reference_page_are_lines_of_a_recording() {
        let page = include_str!("../reference/recordings.md");
        let lines: Vec<&str> = page.lines().filter(|line| line.starts_with('{')).collect();
        let [header, one, other, end] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(parse::<Header>(header.as_bytes()).is_ok());
        for call in [one, other] {
            let read: Call = parse(call.as_bytes()).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), *call, "as it is written");
        }
        assert!(parse::<End>(end.as_bytes()).is_ok());
    }
}
