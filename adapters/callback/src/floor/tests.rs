//! The floor as data.
