//! Back offices with every fault there is: callers get a clear answer within their deadline, and the daemon stays as small as it was.

mod half_open;
mod lying;
pub(crate) mod measure;
mod server;
mod several;
mod single;
