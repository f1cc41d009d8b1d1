//! A command that did not do what was asked: printed once, at the edge.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::explain::Code;

/// Why a command failed. Exit code 1; wrong arguments are clap's, exit code 2.
#[derive(Debug)]
pub struct Failure {
    code: Option<Code>,
    error: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// A failure that has a page with the way out.
    pub fn new(code: Code, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code: Some(code), error: error.into() }
    }

    /// A failure that says all by itself.
    pub fn plain(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code: None, error: error.into() }
    }

    /// Prints the chain and the way out to standard error.
    pub fn print(&self) -> ExitCode {
        eprintln!("{}", self.text());
        ExitCode::FAILURE
    }

    fn text(&self) -> String {
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
