//! passerelle-bus

pub mod contract;
