//! The name of an adapter that somebody writes: `acme/ledger`, in the name space of who writes it.

/// Longest name, in bytes; the port's limit.
const LONGEST: usize = 100;
/// Name spaces whose proto packages are others'.
const TAKEN: [&str; 2] = ["google", "passerelle"];

/// A name that fits the port, and of which a proto package can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    space: String,
    own: String,
}

/// A name that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no name for an adapter: {why}; write it as acme/ledger")]
pub(crate) struct NameError {
    name: String,
    why: String,
}

impl std::str::FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = |why: &str| NameError { name: text.chars().take(LONGEST).collect(), why: why.to_owned() };
        if text.len() > LONGEST {
            return Err(wrong("it is longer than 100 bytes"));
        }
        let (space, own) = text.split_once('/').ok_or_else(|| wrong("it is in nobody's name space"))?;
        for part in [space, own] {
            check(part).map_err(wrong)?;
        }
        if TAKEN.contains(&space) {
            return Err(wrong("that name space belongs to others"));
        }
        Ok(Self { space: space.to_owned(), own: own.to_owned() })
    }
}

fn check(part: &str) -> Result<(), &'static str> {
    if part.contains('/') {
        return Err("it has more than one slash");
    }
    if !part.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err("both of its parts begin with a lower-case letter");
    }
    if !part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Err("it has other things than lower-case letters, digits and dashes");
    }
    if part.ends_with('-') || part.contains("--") {
        return Err("dashes stand alone, between letters or digits");
    }
    Ok(())
}

impl Name {
    /// The folder that it goes into unless another one is said.
    pub(crate) fn folder(&self) -> &str {
        &self.own
    }

    /// A file's path, or its text, of the sample `acme/ledger` with this name in its place.
    pub(crate) fn put_into(&self, sample: &str) -> String {
        let Self { space, own } = self;
        let (package_space, package_own) = (space.replace('-', "_"), own.replace('-', "_"));
        // The longer ones first: what is left of them is not found again.
        sample
            .replace("acme/ledger/v1", &format!("{package_space}/{package_own}/v1"))
            .replace("acme.ledger.v1", &format!("{package_space}.{package_own}.v1"))
            .replace("acme/ledger", &format!("{space}/{own}"))
            .replace("acme-ledger", &format!("{space}-{own}"))
            .replace("acme/…", &format!("{package_space}/…"))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(name: &str, expected: Expect) {
        let told = match name.parse::<Name>() {
            Ok(name) => {
                name.put_into("acme/ledger acme.ledger.v1.Ledger proto/acme/ledger/v1/ledger.proto acme-ledger.yaml proto/acme/…")
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn a_name_takes_the_place_of_the_samples() {
        check(
            "acme/ledger",
            expect!["acme/ledger acme.ledger.v1.Ledger proto/acme/ledger/v1/ledger.proto acme-ledger.yaml proto/acme/…"],
        );
        check(
            "my-bank/card-system-2",
            expect![
                "my-bank/card-system-2 my_bank.card_system_2.v1.Ledger proto/my_bank/card_system_2/v1/ledger.proto my-bank-card-system-2.yaml proto/my_bank/…"
            ],
        );
    }

    #[test]
    fn a_name_that_does_not_fit_says_why() {
        check("ledger", expect!["`ledger` is no name for an adapter: it is in nobody's name space; write it as acme/ledger"]);
        check("a/b/c", expect!["`a/b/c` is no name for an adapter: it has more than one slash; write it as acme/ledger"]);
        check(
            "/ledger",
            expect![
                "`/ledger` is no name for an adapter: both of its parts begin with a lower-case letter; write it as acme/ledger"
            ],
        );
        check(
            "acme/",
            expect![
                "`acme/` is no name for an adapter: both of its parts begin with a lower-case letter; write it as acme/ledger"
            ],
        );
        check(
            "Acme/ledger",
            expect![
                "`Acme/ledger` is no name for an adapter: both of its parts begin with a lower-case letter; write it as acme/ledger"
            ],
        );
        check(
            "acme/3d",
            expect![
                "`acme/3d` is no name for an adapter: both of its parts begin with a lower-case letter; write it as acme/ledger"
            ],
        );
        check(
            "acme/led ger",
            expect![
                "`acme/led ger` is no name for an adapter: it has other things than lower-case letters, digits and dashes; write it as acme/ledger"
            ],
        );
        check("acme/../x", expect!["`acme/../x` is no name for an adapter: it has more than one slash; write it as acme/ledger"]);
        check(
            "acme/l--x",
            expect![
                "`acme/l--x` is no name for an adapter: dashes stand alone, between letters or digits; write it as acme/ledger"
            ],
        );
        check(
            "passerelle/x",
            expect!["`passerelle/x` is no name for an adapter: that name space belongs to others; write it as acme/ledger"],
        );
        let long = format!("acme/{}", "é".repeat(60));
        assert!(long.parse::<Name>().unwrap_err().to_string().contains("longer than 100 bytes"));
    }
}
