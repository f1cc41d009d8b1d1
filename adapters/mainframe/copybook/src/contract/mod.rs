//! Contracts: operations become a `.proto` with field numbers that stay.

mod lock;
mod number;
mod proto;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use lock::{Lock, LockError};

use crate::MessageModel;
use crate::message::names::{is_identifier, snake, upper};

/// Collects operations and writes their contract.
#[derive(Debug, Clone)]
pub struct ContractBuilder {
    package: String,
    service: String,
    lock: Lock,
    operations: Vec<Operation>,
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
    operations: Vec<Operation>,
}

/// One unary rpc.
#[derive(Debug, Clone)]
struct Operation {
    name: String,
    request: MessageModel,
    response: MessageModel,
}

impl ContractBuilder {
    /// Starts the contract of `service` in `package`, with the numbers of `lock` (an empty one: `Lock::default()`).
    pub fn new(package: &str, service: &str, lock: Lock) -> Self {
        Self { package: package.to_owned(), service: service.to_owned(), lock, operations: Vec::new() }
    }

    /// Adds an operation: one unary rpc.
    #[must_use]
    pub fn operation(mut self, name: &str, request: &MessageModel, response: &MessageModel) -> Self {
        self.operations.push(Operation { name: name.to_owned(), request: request.clone(), response: response.clone() });
        self
    }

    /// Gives numbers and writes the text.
    ///
    /// # Errors
    /// Names that protobuf does not take, two operations or messages of one name, no room for more numbers.
    pub fn finish(self) -> Result<Contract, LockError> {
        let Self { package, service, mut lock, mut operations } = self;
        check(&package, &service, &operations)?;
        for operation in &mut operations {
            for model in [&mut operation.request, &mut operation.response] {
                let root = model.name().to_owned();
                number::number(&mut lock, &mut model.message, &root, &root)?;
            }
        }
        let proto_text = proto::text(&package, &service, &operations, &lock);
        let file = snake(&upper(&service), None);
        let proto_path = format!("{}/{file}.proto", package.replace('.', "/"));
        Ok(Contract { proto_path, proto_text, lock, operations })
    }
}

impl Contract {
    /// The numbered request message of an operation.
    pub fn request(&self, operation: &str) -> Option<&MessageModel> {
        self.operations.iter().find(|known| known.name == operation).map(|known| &known.request)
    }

    /// The numbered response message of an operation.
    pub fn response(&self, operation: &str) -> Option<&MessageModel> {
        self.operations.iter().find(|known| known.name == operation).map(|known| &known.response)
    }
}

fn check(package: &str, service: &str, operations: &[Operation]) -> Result<(), LockError> {
    if !package.split('.').all(is_identifier) {
        return Err(LockError(format!("package: `{package}` is no protobuf package such as `bank.accounts.v1`")));
    }
    let rpcs = operations.iter().map(|operation| operation.name.as_str());
    if let Some(wrong) = rpcs.clone().chain([service]).find(|name| !is_identifier(name)) {
        return Err(LockError(format!("`{wrong}` is no name of a protobuf service or method such as `AccountInquiry`")));
    }
    let messages = operations.iter().flat_map(|operation| [operation.request.name(), operation.response.name()]);
    let mut seen = BTreeSet::new();
    if let Some(twice) = rpcs
        .map(|name| format!("operation {name}"))
        .chain(messages.chain([service]).map(str::to_owned))
        .find(|name| !seen.insert(name.clone()))
    {
        return Err(LockError(format!("{twice} is there twice: give one of them another name")));
    }
    Ok(())
}
