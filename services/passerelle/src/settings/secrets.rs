//! Secrets out of the process's environment and files.

use std::path::{Path, PathBuf};

use passerelle_adapter::{Secret, SecretError, SecretRef, Secrets};

/// A secret longer than this is a mistake, such as the wrong file.
const LONGEST_SECRET_BYTES: u64 = 64 * 1024;

/// Finds secrets in environment variables and files, anew each time: a rotated secret is seen without a restart.
#[derive(Debug)]
pub struct ProcessSecrets {
    folder: PathBuf,
}

impl ProcessSecrets {
    /// Relative paths in references start at `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

impl Secrets for ProcessSecrets {
    fn find(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) => from_environment(name),
            SecretRef::File(path) => from_file(&self.folder.join(path)),
        }
    }
}

fn from_environment(name: &str) -> Result<Secret, SecretError> {
    let value = std::env::var_os(name).ok_or_else(|| SecretError(format!("the environment variable {name} is not set")))?;
    let text = value.into_string().map_err(|_| SecretError(format!("the environment variable {name} is not UTF-8")))?;
    Ok(Secret::new(text))
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let failed = |why: String| SecretError(format!("the secret's file {} cannot be used: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > LONGEST_SECRET_BYTES {
        return Err(failed(format!("it has {size} bytes, a secret has at most {LONGEST_SECRET_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_a_file_without_its_final_line_break() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pw"), "hunter2\r\n").unwrap();
        let secrets = ProcessSecrets::new(folder.path());
        assert_eq!(secrets.find(&SecretRef::File("pw".into())).unwrap().reveal(), "hunter2");
    }

    #[test]
    fn a_missing_secret_is_named() {
        let secrets = ProcessSecrets::new("/nowhere");
        let error = secrets.find(&SecretRef::File("pw".into())).unwrap_err().to_string();
        assert!(error.contains("/nowhere/pw"), "{error}");
        let error = secrets.find(&SecretRef::Env("PASSERELLE_TEST_NO_SUCH_SECRET".into())).unwrap_err().to_string();
        assert!(error.contains("PASSERELLE_TEST_NO_SUCH_SECRET is not set"), "{error}");
    }
}
