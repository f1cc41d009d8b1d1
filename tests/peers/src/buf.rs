//! buf as an oracle: what it builds out of `.proto` files, and what it says that a change of them breaks.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;

/// The program that `tests/peers/install/buf.sh` installs.
#[derive(Debug)]
pub struct Buf {
    program: PathBuf,
}

impl Buf {
    /// `None` when buf is not installed and peers are not required.
    pub fn find() -> Option<Self> {
        let program = install::installed("buf", install::folder().join("buf/bin/buf"))?;
        Some(Self { program })
    }

    /// Compiles all `.proto` files of a folder into an image, with source information.
    pub fn build(&self, folder: &Path, image: &Path) {
        let output = self.command().arg("build").arg(folder).arg("-o").arg(image).output().expect("buf runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "buf build {}: {said}{}", folder.display(), String::from_utf8_lossy(&output.stdout));
    }

    /// What the images `old` and `new` differ in by the rules of these categories: a JSON object a line.
    pub fn breaking(&self, old: &Path, new: &Path, categories: &[&str]) -> String {
        let config = format!("{{\"version\":\"v2\",\"breaking\":{{\"use\":{categories:?}}}}}");
        let mut command = self.command();
        command.arg("breaking").arg(new).arg("--against").arg(old).args(["--error-format=json", "--config", &config]);
        let output = command.output().expect("buf runs");
        // 100: there are findings.
        let expected = matches!(output.status.code(), Some(0 | 100));
        assert!(expected, "buf breaking: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("buf writes UTF-8")
    }

    /// Its table of rules: name, categories, whether it is a default, and meaning, a rule a line.
    pub fn rules(&self) -> String {
        let output = self.command().args(["config", "ls-breaking-rules"]).output().expect("buf runs");
        String::from_utf8(output.stdout).expect("buf writes UTF-8")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Nothing of whoever runs the test: no cache, no settings, no newer version looked for.
        command.env_clear().env("HOME", "/nonexistent").env("BUF_CACHE_DIR", std::env::temp_dir()).env("PATH", "/usr/bin:/bin");
        command
    }
}
