//! `errors:`: which answers of a host are a refusal, and what the caller is told.

mod condition;
mod constants;
mod syntax;
mod token;

use std::path::Path;
use std::time::Duration;

use passerelle_adapter::{Fault, Rejection};
use passerelle_copybook::{Encoding, Item, RecordError};

pub(crate) use self::constants::Constants;

use self::condition::Condition;
use crate::file::{ErrorRule, FileError, Status};

/// A caller that was throttled by a rule is told to come back after this long: hosts do not say.
const RETRY_WHEN_EXHAUSTED: Duration = Duration::from_secs(1);

/// The rules of one operation, checked against its response record.
#[derive(Debug)]
pub(crate) struct ErrorRules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    condition: Condition,
    fault: Fault,
}

impl ErrorRules {
    /// Checks the rules; `path` is the file that holds them.
    pub(crate) fn compile(path: &Path, rules: &[ErrorRule], response: &Item, encoding: &Encoding) -> Result<Self, FileError> {
        let rules = rules.iter().map(|rule| -> Result<Rule, FileError> {
            let text = rule.when.value.as_str();
            let condition = syntax::parse(text)
                .and_then(|expression| Condition::compile(&expression, response, encoding))
                .map_err(|problem| FileError::at(path, rule.when.referenced, format!("when `{text}`: {problem}")))?;
            let message = rule.message.clone().unwrap_or_else(|| format!("the host refused: {text}"));
            Ok(Rule { condition, fault: fault(rule.status, message) })
        });
        Ok(Self(rules.collect::<Result<_, _>>()?))
    }

    /// The fault of the first rule that holds for this response record.
    pub(crate) fn judge(&self, response: &[u8]) -> Result<Option<Fault>, RecordError> {
        for rule in &self.0 {
            if rule.condition.holds(response)? {
                return Ok(Some(rule.fault.clone()));
            }
        }
        Ok(None)
    }
}

fn fault(status: Status, message: String) -> Fault {
    match status {
        Status::InvalidArgument => Fault::rejected(Rejection::Invalid, message),
        Status::Aborted => Fault::rejected(Rejection::Conflict, message),
        Status::NotFound => Fault::rejected(Rejection::NotFound, message),
        Status::PermissionDenied => Fault::rejected(Rejection::Denied, message),
        Status::FailedPrecondition => Fault::rejected(Rejection::Precondition, message),
        Status::ResourceExhausted => Fault::Throttled { retry_after: RETRY_WHEN_EXHAUSTED, message },
        Status::Unavailable => Fault::unavailable(message),
    }
}
