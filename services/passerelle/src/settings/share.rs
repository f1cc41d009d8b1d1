//! Which calls are shared by those who ask the same, as people declare it.

use std::time::Duration;

use http::HeaderName;
use passerelle_bus::call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How those who ask the same share a call: who comes while the back office is being asked gets that answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// For how long an answer is kept and given to who asks the same (cached), in milliseconds, counted from when the back office was asked.
    /// 0: none is kept.
    #[schemars(range(min = 0, max = 3_600_000))]
    pub tolerance_ms: u64,
    /// The metadata that may change an answer; who sends another one asks for himself. `authorization`, `cookie`, content type and compression
    /// always do. Not given: all metadata may that is not about the way of the call (deadline, trace).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vary: Option<Vec<String>>,
}

impl Share {
    /// As the bus takes it.
    pub(super) fn resolved(&self) -> call::ShareSettings {
        call::ShareSettings {
            tolerance: (self.tolerance_ms > 0).then(|| Duration::from_millis(self.tolerance_ms)),
            vary: self.vary.as_ref().map(|vary| vary.iter().filter_map(|name| metadata(name)).collect()),
        }
    }

    /// `(path, what is wrong)` of everything that the types cannot say.
    pub(super) fn problems(&self, path: &str) -> Vec<(String, String)> {
        let names = self.vary.iter().flatten().enumerate();
        let problem = |(index, name): (usize, &String)| {
            let text = format!("`{name}` is no name of metadata: small letters, digits and hyphens (accept-language)");
            metadata(name).is_none().then(|| (format!("{path}.vary[{index}]"), text))
        };
        names.filter_map(problem).collect()
    }
}

fn metadata(name: &str) -> Option<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).ok()
}
