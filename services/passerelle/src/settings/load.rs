//! From a file and the environment to checked settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::Config;
use passerelle_adapter::Misread;
use serde_saphyr::Error as YamlError;

use super::environment::Overrides;
use super::error::{Error, Problem};
use super::place::locate;
use super::schema::{Place, json_schema};
use super::{Address, Settings};

/// The file that is read when none is named.
const USUAL_FILE: &str = "passerelle.yaml";

/// A settings file longer than this is a mistake, such as the wrong file.
const LONGEST_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Checked settings, and where they came from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings; every path in them is absolute.
    pub settings: Settings,
    file: PathBuf,
    origin: Origin,
}

/// Where settings came from, to say where something is wrong.
#[derive(Debug, Default)]
struct Origin {
    /// The file, as it was named.
    path: PathBuf,
    text: String,
    overrides: Overrides,
}

impl Loaded {
    /// The settings file, with its whole path.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The folder of the settings file, where relative paths start.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// Something found wrong with the field at `path` (`endpoints.accounts.file`) after loading.
    pub fn refused(&self, path: &str, message: impl Into<String>) -> Problem {
        self.origin.problem(path, message.into())
    }
}

/// Loads the named file, or the usual one, with `environment` on top. Touches nothing but that file.
pub fn load(named: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Loaded, Error> {
    let path = named.unwrap_or(Path::new(USUAL_FILE));
    if named.is_none() && !path.exists() {
        return Err(Error::Missing { usual: path.to_owned() });
    }
    let text = read(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let file = std::path::absolute(path).map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let (settings, origin) = parse(path, text, environment)?;
    let mut loaded = Loaded { settings, file, origin };
    let folder = loaded.folder().to_owned();
    loaded.settings.resolve_paths(&folder);
    Ok(loaded)
}

fn read(path: &Path) -> std::io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > LONGEST_FILE_BYTES {
        return Err(std::io::Error::other(format!("it has {size} bytes, a settings file has at most {LONGEST_FILE_BYTES}")));
    }
    std::fs::read_to_string(path)
}

fn parse(path: &Path, text: String, environment: &BTreeMap<String, String>) -> Result<(Settings, Origin), Error> {
    let written = from_yaml(path, &text).map_err(Error::Unparsable)?;
    let schema = json_schema();
    let overrides = Overrides::read(environment, Place::root(&schema)).map_err(Error::Environment)?;
    let origin = Origin { path: path.to_owned(), text, overrides };
    let settings = layer(&written, &origin).map_err(Error::Environment)?;
    let problems = check(&settings, &schema, &origin);
    match problems.is_empty() {
        true => Ok((settings, origin)),
        false => Err(Error::Refused(problems)),
    }
}

/// The file by itself: every error has its line and column.
fn from_yaml(path: &Path, text: &str) -> Result<Settings, Problem> {
    let place = |location: Option<serde_saphyr::Location>| match location {
        Some(at) => format!("{}:{}:{}", path.display(), at.line(), at.column()),
        None => path.display().to_string(),
    };
    let parsed = passerelle_adapter::yaml(text);
    // An empty document is no error: everything has a default.
    let parsed = parsed.map(Option::<Settings>::unwrap_or_default);
    parsed.map_err(|Misread { error, field }| {
        let error = error.without_snippet();
        Problem { place: place(error.location()), field, message: yaml_message(error) }
    })
}

fn yaml_message(error: &YamlError) -> String {
    match error {
        YamlError::InvalidScalar { ty, .. } if ty.starts_with(['u', 'i']) => {
            "expected a whole number within the allowed range".to_owned()
        }
        YamlError::InvalidScalar { ty, .. } if ty.starts_with('f') => "expected a number".to_owned(),
        YamlError::NullIntoString { .. } => "the value is missing".to_owned(),
        YamlError::Unexpected { expected: "mapping start", .. } => "expected `key: value` lines below".to_owned(),
        YamlError::Unexpected { expected: "sequence start", .. } => "expected a list: [one, two]".to_owned(),
        YamlError::Unexpected { expected: "string scalar", .. } => {
            "expected text; put it in quotes if it begins with [ or {".to_owned()
        }
        YamlError::DuplicateMappingKey { key, .. } => format!("`{}` stands here twice", key.as_deref().unwrap_or("the key")),
        YamlError::MultipleDocuments { .. } => "a second document begins here (`---`), settings are one".to_owned(),
        other => {
            let text = other.render();
            if text.starts_with("tabs disallowed") {
                return "a tab indents here; YAML takes spaces only".to_owned();
            }
            text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
        }
    }
}

/// The environment on top of the file.
fn layer(written: &Settings, origin: &Origin) -> Result<Settings, Problem> {
    let plain = |error: &dyn std::fmt::Display| Problem {
        place: "the environment".to_owned(),
        field: String::new(),
        message: error.to_string(),
    };
    let file = Config::try_from(written).map_err(|error| plain(&error))?;
    let builder = Config::builder().add_source(file).add_source(origin.overrides.clone());
    let both = builder.build().map_err(|error| plain(&error))?;
    serde_path_to_error::deserialize(both).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { &path };
        // The path is said once, in front: `config` repeats it, with the variable, behind.
        let message = match error.inner() {
            config::ConfigError::At { error, .. } => error.to_string(),
            inner => inner.to_string(),
        };
        origin.problem(path, message)
    })
}

impl Origin {
    fn problem(&self, path: &str, message: String) -> Problem {
        let in_file = || match locate(&self.text, path) {
            Some((line, column)) => format!("{}:{line}:{column}", self.path.display()),
            None => self.path.display().to_string(),
        };
        let place = self.overrides.variable(path).map_or_else(in_file, str::to_owned);
        Problem { place, field: path.to_owned(), message }
    }
}

/// What the types cannot say: ranges, and fields that must agree.
fn check(settings: &Settings, schema: &serde_json::Value, origin: &Origin) -> Vec<Problem> {
    let mut found = Vec::new();
    match serde_json::to_value(settings) {
        Ok(value) => Place::root(schema).out_of_range(&value, "", &mut found),
        Err(error) => found.push((String::new(), error.to_string())),
    }
    if settings.listen == settings.admin.listen && settings.listen.0.port() != 0 {
        found.push(("admin.listen".to_owned(), format!("{} is already `listen`; the two ports must differ", settings.listen)));
    }
    if settings.telemetry.otlp_endpoint.as_ref().is_some_and(Address::is_https) {
        let why = "https is not supported here; send to a collector beside Passerelle over http://".to_owned();
        found.push(("telemetry.otlp_endpoint".to_owned(), why));
    }
    found.extend(settings.callback.problems(&settings.desks()));
    found.extend(settings.channels.problems());
    found.extend(super::delivery::problems(&settings.deliveries));
    for (name, endpoint) in &settings.endpoints {
        found.extend(endpoint.policy().problems(&format!("endpoints.{name}.policy")));
    }
    found.into_iter().map(|(path, message)| origin.problem(&path, message)).collect()
}
