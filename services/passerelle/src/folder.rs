//! A folder of files that people write, read whole.

use std::path::{Path, PathBuf};

use passerelle_bus::written::Text;

/// All files together.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The files with these endings that lie in the folder itself, in the order of their names. In errors they have the folder's own name in front.
pub(crate) fn texts(folder: &Path, endings: &[&str]) -> Result<Vec<Text>, String> {
    let unreadable = |path: &Path, error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(|error| unreadable(folder, error))?;
    paths.sort();
    let within = folder.file_name().map(PathBuf::from).unwrap_or_default();
    let (mut read, mut bytes) = (Vec::new(), 0);
    for path in paths {
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // Editors leave hidden files about.
        if !ends(file, endings) || file.starts_with('.') || !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        bytes += text.len();
        if bytes > MOST_BYTES {
            return Err(format!("{}: the files have more than {MOST_BYTES} bytes", folder.display()));
        }
        read.push(Text { name: within.join(file).display().to_string(), text });
    }
    Ok(read)
}

/// Whether a file's name ends in one of these ways.
pub(crate) fn ends(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| name.ends_with(ending))
}
