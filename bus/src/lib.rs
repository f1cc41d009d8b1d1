//! passerelle-bus
