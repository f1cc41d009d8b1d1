//! passerelle-services
