//! Web callback through the real daemon: promised, killed, called at the promised time.

mod commands;
pub(crate) mod office;
mod promise;
