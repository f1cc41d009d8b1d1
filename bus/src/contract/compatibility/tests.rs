//! Comparisons of two small contracts, and what is said of them.
