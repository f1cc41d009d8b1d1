//! Images: what is taken, what is refused, and how editions are read.
