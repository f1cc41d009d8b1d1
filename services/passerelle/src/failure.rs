//! A command that did not do what was asked: printed once, at the edge.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::explain::Code;

/// Exit code of what was tried and failed.
const FAILED: u8 = 1;
/// Exit code of a comparison that found something, as buf has it.
const FINDINGS: u8 = 100;
/// Exit code of wrong arguments, as clap has it.
const WRONG_ARGUMENTS: u8 = 2;

/// Why a command failed. Exit code 1, 2 for wrong arguments that clap could not see, 100 for a comparison that found something.
#[derive(Debug)]
pub struct Failure {
    exit: u8,
    code: Option<Code>,
    error: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// A failure that has a page with the way out.
    pub fn new(code: Code, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: FAILED, code: Some(code), error: error.into() }
    }

    /// A failure that says all by itself.
    pub fn plain(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: FAILED, code: None, error: error.into() }
    }

    /// A comparison that found something: exit code 100.
    pub fn findings(summary: String) -> Self {
        Self { exit: FINDINGS, ..Self::plain(summary) }
    }

    /// A failure that lies in what was asked: exit code 2.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: WRONG_ARGUMENTS, ..Self::plain(error) }
    }

    /// As [`Self::usage`], with a page.
    pub fn usage_with(code: Code, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: WRONG_ARGUMENTS, ..Self::new(code, error) }
    }

    /// Prints the chain and the way out to standard error.
    pub fn print(&self) -> ExitCode {
        eprintln!("{}", self.text());
        ExitCode::from(self.exit)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("error: {}", self.error);
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        if let Some(code) = self.code {
            let _ = write!(text, "\n{code}: `passerelle explain {code}` tells what it means and the way out");
        }
        text
    }
}

impl From<crate::settings::Error> for Failure {
    fn from(error: crate::settings::Error) -> Self {
        Self::new(error.code(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_printed_once_with_its_code() {
        let error = crate::settings::Error::Unreadable { path: "a.yaml".into(), source: std::io::Error::other("no such file") };
        let text = Failure::from(error).text();
        expect_test::expect![[r#"
            error: cannot read the settings file a.yaml: no such file
            P0001: `passerelle explain P0001` tells what it means and the way out"#]]
        .assert_eq(&text);
    }
}
