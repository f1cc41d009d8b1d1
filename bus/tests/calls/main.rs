//! Calls through a bus in this process, between callers and back offices that can be made to do everything odd.

mod bus;
mod caller;
mod office;

mod flow;
mod passing;
mod sizes;
