//! The folder of route files: routes, and beside them cases that say which route a call takes.

use std::path::{Path, PathBuf};

use passerelle_bus::route::Text;

/// How the names of files with cases end.
const CASES: [&str; 2] = [".cases.yaml", ".cases.yml"];
/// How the names of all files end that are looked at.
const YAML: [&str; 2] = [".yaml", ".yml"];
/// All files together.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What is in the folder.
#[derive(Debug, Default)]
pub(crate) struct RouteFolder {
    /// Files of routes.
    pub(crate) routes: Vec<Text>,
    /// Files of cases.
    pub(crate) cases: Vec<Text>,
}

impl RouteFolder {
    /// Reads all files that lie in the folder itself. In errors they have the folder's own name in front.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let unreadable = |path: &Path, error: std::io::Error| format!("cannot read {}: {error}", path.display());
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut paths = paths.map_err(|error| unreadable(folder, error))?;
        paths.sort();
        let (mut read, mut bytes) = (Self::default(), 0);
        for path in paths {
            let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
            // Editors leave hidden files about.
            if !ends(file, &YAML) || file.starts_with('.') || !path.is_file() {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            bytes += text.len();
            if bytes > MOST_BYTES {
                return Err(format!("{}: the files have more than {MOST_BYTES} bytes", folder.display()));
            }
            let within = folder.file_name().map(PathBuf::from).unwrap_or_default();
            let named = Text { name: within.join(file).display().to_string(), text };
            let list = if ends(file, &CASES) { &mut read.cases } else { &mut read.routes };
            list.push(named);
        }
        Ok(read)
    }
}

fn ends(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| name.ends_with(ending))
}
