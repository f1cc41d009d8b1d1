//! The one test binary of the whole: the repository's own rules.

mod tidy;
