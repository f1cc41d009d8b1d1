//! Error codes: what an operator can meet, and the page with the way out. A code never changes its meaning.

use std::fmt;

/// An error code; its page is `pages/<code>.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(u16);

impl Code {
    /// The settings file is missing or cannot be read.
    pub const SETTINGS_UNREADABLE: Self = Self(1);
    /// The settings file is no YAML, has an unknown key, or a value of the wrong sort.
    pub const SETTINGS_UNPARSABLE: Self = Self(2);
    /// A value in the settings cannot be used.
    pub const SETTINGS_REFUSED: Self = Self(3);
    /// An environment variable of ours cannot be used.
    pub const ENVIRONMENT_REFUSED: Self = Self(4);
    /// No adapter of that name is built in.
    pub const ADAPTER_UNKNOWN: Self = Self(5);
    /// An adapter's file cannot be used.
    pub const ADAPTER_REFUSED: Self = Self(6);
    /// A `.proto` file or descriptor set does not compile.
    pub const CONTRACT_UNCOMPILABLE: Self = Self(7);
    /// A contract compiles but is not taken in.
    pub const CONTRACT_REFUSED: Self = Self(8);
    /// The contracts on disk are damaged.
    pub const CONTRACTS_DAMAGED: Self = Self(9);
    /// A port of ours cannot be opened.
    pub const ADDRESS_UNUSABLE: Self = Self(10);
    /// Certificates or keys cannot be used.
    pub const TLS_UNUSABLE: Self = Self(11);
    /// No running Passerelle answers on its admin port.
    pub const ADMIN_UNREACHABLE: Self = Self(12);
    /// No contract has that method.
    pub const METHOD_UNKNOWN: Self = Self(13);
    /// The data folder cannot be written.
    pub const DATA_DIR_UNUSABLE: Self = Self(14);
    /// A copybook or a mainframe file cannot be used.
    pub const COPYBOOK_REFUSED: Self = Self(15);
    /// A server did not tell its contract by reflection.
    pub const REFLECTION_FAILED: Self = Self(16);
    /// Telemetry could not be started.
    pub const TELEMETRY_UNUSABLE: Self = Self(17);
    /// The JSON of a request does not fit the method's message.
    pub const REQUEST_REFUSED: Self = Self(18);
    /// The journal's bytes are not what was written.
    pub const JOURNAL_DAMAGED: Self = Self(19);
    /// Another process has the journal.
    pub const JOURNAL_LOCKED: Self = Self(20);
    /// There is no room on the journal's disk.
    pub const JOURNAL_FULL: Self = Self(21);
    /// The journal's disk refuses.
    pub const JOURNAL_FAILED: Self = Self(22);
    /// The journal was written by a newer version.
    pub const JOURNAL_NEWER: Self = Self(23);
    /// The views made of the journal cannot be used.
    pub const VIEWS_UNUSABLE: Self = Self(24);
    /// The views do not follow the journal any more.
    pub const VIEWS_STOPPED: Self = Self(25);
    /// A new version breaks what callers of a registered one rely on.
    pub const CONTRACT_INCOMPATIBLE: Self = Self(26);
    /// An adapter in another process failed its introduction.
    pub const ADAPTER_QUARANTINED: Self = Self(27);
    /// Route files cannot be used.
    pub const ROUTES_REFUSED: Self = Self(28);
    /// Translation files cannot be used.
    pub const TRANSLATIONS_REFUSED: Self = Self(29);

    /// The code written as `P0003`, `p3` or `3`.
    pub fn find(text: &str) -> Option<Self> {
        let number: u16 = text.trim().trim_start_matches(['P', 'p']).parse().ok()?;
        codes().find(|code| code.0 == number)
    }

    /// The page: what it means, why it happens, the way out.
    pub fn page(self) -> &'static str {
        PAGES.iter().find(|(code, _)| *code == self).map_or("", |(_, page)| page)
    }

    /// The page's title, without the code.
    pub fn title(self) -> &'static str {
        let first = self.page().lines().next().unwrap_or_default();
        first.split_once(": ").map_or("", |(_, title)| title)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "P{:04}", self.0)
    }
}

/// Every code, in order.
pub fn codes() -> impl Iterator<Item = Code> {
    PAGES.iter().map(|(code, _)| *code)
}

const PAGES: [(Code, &str); 29] = [
    (Code::SETTINGS_UNREADABLE, include_str!("pages/P0001.md")),
    (Code::SETTINGS_UNPARSABLE, include_str!("pages/P0002.md")),
    (Code::SETTINGS_REFUSED, include_str!("pages/P0003.md")),
    (Code::ENVIRONMENT_REFUSED, include_str!("pages/P0004.md")),
    (Code::ADAPTER_UNKNOWN, include_str!("pages/P0005.md")),
    (Code::ADAPTER_REFUSED, include_str!("pages/P0006.md")),
    (Code::CONTRACT_UNCOMPILABLE, include_str!("pages/P0007.md")),
    (Code::CONTRACT_REFUSED, include_str!("pages/P0008.md")),
    (Code::CONTRACTS_DAMAGED, include_str!("pages/P0009.md")),
    (Code::ADDRESS_UNUSABLE, include_str!("pages/P0010.md")),
    (Code::TLS_UNUSABLE, include_str!("pages/P0011.md")),
    (Code::ADMIN_UNREACHABLE, include_str!("pages/P0012.md")),
    (Code::METHOD_UNKNOWN, include_str!("pages/P0013.md")),
    (Code::DATA_DIR_UNUSABLE, include_str!("pages/P0014.md")),
    (Code::COPYBOOK_REFUSED, include_str!("pages/P0015.md")),
    (Code::REFLECTION_FAILED, include_str!("pages/P0016.md")),
    (Code::TELEMETRY_UNUSABLE, include_str!("pages/P0017.md")),
    (Code::REQUEST_REFUSED, include_str!("pages/P0018.md")),
    (Code::JOURNAL_DAMAGED, include_str!("pages/P0019.md")),
    (Code::JOURNAL_LOCKED, include_str!("pages/P0020.md")),
    (Code::JOURNAL_FULL, include_str!("pages/P0021.md")),
    (Code::JOURNAL_FAILED, include_str!("pages/P0022.md")),
    (Code::JOURNAL_NEWER, include_str!("pages/P0023.md")),
    (Code::VIEWS_UNUSABLE, include_str!("pages/P0024.md")),
    (Code::VIEWS_STOPPED, include_str!("pages/P0025.md")),
    (Code::CONTRACT_INCOMPATIBLE, include_str!("pages/P0026.md")),
    (Code::ADAPTER_QUARANTINED, include_str!("pages/P0027.md")),
    (Code::ROUTES_REFUSED, include_str!("pages/P0028.md")),
    (Code::TRANSLATIONS_REFUSED, include_str!("pages/P0029.md")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_own_code_and_the_same_sections() {
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}: ")), "{code}: the title begins with the code");
            for section in ["## What it means", "## Why it happens", "## The way out", "## Example"] {
                assert!(page.contains(&format!("\n{section}\n")), "{code}: {section} is missing");
            }
        }
    }

    #[test]
    fn codes_are_numbered_without_gaps() {
        let numbers: Vec<u16> = codes().map(|code| code.0).collect();
        assert_eq!(numbers, (1..=numbers.len() as u16).collect::<Vec<_>>());
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        for text in ["P0003", "p0003", "P3", "3", " P0003 "] {
            assert_eq!(Code::find(text), Some(Code::SETTINGS_REFUSED), "{text}");
        }
        for text in ["", "P", "P0000", "P9999", "three", "P-1", "65536"] {
            assert_eq!(Code::find(text), None, "{text}");
        }
    }
}
