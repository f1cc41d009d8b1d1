//! passerelle-proto
