//! The service through a real server.
