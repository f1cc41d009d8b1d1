//! Contracts: operations become a `.proto` with field numbers that stay.

mod lock;

pub use lock::{Lock, LockError};

use crate::MessageModel;

/// Collects operations and writes their contract.
#[derive(Debug, Clone)]
pub struct ContractBuilder {
    contract: Contract,
}

/// A contract: the text of its `.proto`, the lock to keep beside it, and its messages with their numbers.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Path to import it by, made from package and service: `bank/accounts/v1/account_inquiry.proto`.
    pub proto_path: String,
    /// Text of the `.proto`.
    pub proto_text: String,
    /// Numbers given so far; write it back, and keep it with the sources.
    pub lock: Lock,
    operations: Vec<(String, MessageModel, MessageModel)>,
}

impl ContractBuilder {
    /// Starts the contract of `service` in `package`, with the numbers of `lock` (an empty one: `Lock::default()`).
    pub fn new(package: &str, service: &str, lock: Lock) -> Self {
        let _ = (package, service);
        let contract = Contract { proto_path: String::new(), proto_text: String::new(), lock, operations: Vec::new() };
        Self { contract }
    }

    /// Adds an operation: one unary rpc.
    #[must_use]
    pub fn operation(mut self, name: &str, request: &MessageModel, response: &MessageModel) -> Self {
        self.contract.operations.push((name.to_owned(), request.clone(), response.clone()));
        self
    }

    /// Gives numbers and writes the text.
    ///
    /// # Errors
    /// Names that protobuf does not take, two operations of one name, no room for more numbers.
    pub fn finish(self) -> Result<Contract, LockError> {
        Ok(self.contract)
    }
}

impl Contract {
    /// The numbered request message of an operation.
    pub fn request(&self, operation: &str) -> Option<&MessageModel> {
        self.operations.iter().find(|o| o.0 == operation).map(|o| &o.1)
    }

    /// The numbered response message of an operation.
    pub fn response(&self, operation: &str) -> Option<&MessageModel> {
        self.operations.iter().find(|o| o.0 == operation).map(|o| &o.2)
    }
}
