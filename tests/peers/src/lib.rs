//! passerelle-peers
