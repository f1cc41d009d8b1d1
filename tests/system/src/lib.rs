//! Nothing lives here: the scenes and the repository's rules are the one test binary in `tests/system`.
