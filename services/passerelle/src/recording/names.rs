//! Status codes by name.

use passerelle_bus::call::observe::code_name;
use tonic::Code;

/// The code that gRPC writes so, such as `NOT_FOUND`.
pub(crate) fn code(name: &str) -> Option<Code> {
    (0..=16).map(Code::from).find(|code| code_name(*code) == name)
}
