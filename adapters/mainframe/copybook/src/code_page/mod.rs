//! Code pages: one byte, one character, both ways.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A single-byte code page of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodePage {
    /// EBCDIC of the USA, Canada, Brazil, Portugal, Netherlands.
    Ibm037,
    /// EBCDIC of France.
    Ibm297,
    /// EBCDIC International.
    Ibm500,
    /// EBCDIC Latin 1 of open systems (z/OS UNIX, C programs).
    #[default]
    Ibm1047,
    /// 037 with the euro sign.
    Ibm1140,
    /// 297 with the euro sign.
    Ibm1147,
    /// ISO 8859-1, for hosts without EBCDIC.
    Latin1,
    /// ASCII, for hosts without EBCDIC: bytes from 128 on are errors.
    Ascii,
}

/// A name that is no code page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown code page `{0}` (available: ibm037, ibm297, ibm500, ibm1047, ibm1140, ibm1147, latin1, ascii)")]
pub struct UnknownCodePage(String);

impl CodePage {
    /// All of them.
    pub const ALL: [CodePage; 8] = [
        CodePage::Ibm037,
        CodePage::Ibm297,
        CodePage::Ibm500,
        CodePage::Ibm1047,
        CodePage::Ibm1140,
        CodePage::Ibm1147,
        CodePage::Latin1,
        CodePage::Ascii,
    ];

    /// Name in settings.
    pub fn name(self) -> &'static str {
        match self {
            CodePage::Ibm037 => "ibm037",
            CodePage::Ibm297 => "ibm297",
            CodePage::Ibm500 => "ibm500",
            CodePage::Ibm1047 => "ibm1047",
            CodePage::Ibm1140 => "ibm1140",
            CodePage::Ibm1147 => "ibm1147",
            CodePage::Latin1 => "latin1",
            CodePage::Ascii => "ascii",
        }
    }

    /// The character of a byte, if it has one.
    pub fn decode(self, byte: u8) -> Option<char> {
        let _ = byte;
        None
    }

    /// The byte of a character, if it has one.
    pub fn encode(self, character: char) -> Option<u8> {
        let _ = character;
        None
    }
}

impl FromStr for CodePage {
    type Err = UnknownCodePage;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let lower = name.to_ascii_lowercase();
        Self::ALL.into_iter().find(|page| page.name() == lower).ok_or_else(|| UnknownCodePage(name.to_owned()))
    }
}

impl fmt::Display for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
