//! The one test binary of the whole: the repository's own rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of it is tests")]

mod tidy;
