//! Web callback through the real daemon: promised, killed, called at the promised time.

mod commands;
mod office;
mod promise;
mod storm;
