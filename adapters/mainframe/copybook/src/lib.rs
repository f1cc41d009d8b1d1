//! passerelle-copybook
