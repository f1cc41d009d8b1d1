//! Methods that are declared to share or hedge their calls, held against their contracts.

use passerelle_bus::contract::{Binding, Idempotency, Method, Registry};

use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::{EndpointName, Loaded, Policy};

/// Refuses what a contract contradicts that is known already; of others it is found out when they come.
pub(crate) fn check(loaded: &Loaded, name: &EndpointName, policy: &Policy, registry: &Registry) -> Result<(), Failure> {
    let snapshot = registry.snapshot();
    let bound = Some(Binding::Endpoint(name.to_string()));
    for (index, declared) in policy.methods.iter().enumerate() {
        let Some(option) = declared.option_of_reads() else { continue };
        let mut methods = snapshot.newest().filter(|contract| contract.binding == bound).flat_map(|contract| contract.methods());
        let Some(method) = methods.find(|method| method.path.trim_start_matches('/') == declared.full_name()) else {
            continue;
        };
        if let Some(text) = contradiction(method, declared.read_only) {
            let problem = loaded.refused(&format!("endpoints.{name}.policy.methods[{index}].{option}"), text);
            return Err(Failure::new(Code::SETTINGS_REFUSED, problem.to_string()));
        }
    }
    Ok(())
}

fn contradiction(method: &Method, read_only: Option<bool>) -> Option<String> {
    let path = method.path.trim_start_matches('/');
    if method.client_streaming || method.server_streaming {
        return Some(format!("{path} streams, and only calls with one message each way are shared or hedged"));
    }
    let reads = read_only.unwrap_or(method.idempotency == Idempotency::NoSideEffects);
    let text = format!(
        "{path} is not known to read and change nothing: its contract would say `option idempotency_level = NO_SIDE_EFFECTS`; \
         if it does all the same, say `read_only: true`"
    );
    (!reads).then_some(text)
}
