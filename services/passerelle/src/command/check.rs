//! `passerelle check`: proves settings without serving or connecting.

use std::sync::Arc;

use passerelle_adapter::Adapter;

use crate::adapters;
use crate::cli::SettingsFile;
use crate::explain::Code;
use crate::failure::Failure;
use crate::settings::{Endpoint, EndpointName, Loaded};

/// Proves everything that can be proven without a connection; prints an `ok` line for each thing.
pub(super) fn run(file: &SettingsFile) -> Result<(), Failure> {
    let loaded = super::load(file)?;
    println!("ok settings {}", loaded.file().display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::plain)?;
    let mut refused = 0;
    for (name, endpoint) in &loaded.settings.endpoints {
        match runtime.block_on(endpoint_line(&loaded, name, endpoint)) {
            Ok(line) => println!("ok endpoint {name}: {line}"),
            Err(failure) => {
                refused += 1;
                failure.print();
            }
        }
    }
    match refused {
        0 => Ok(()),
        1 => Err(Failure::new(Code::SETTINGS_REFUSED, "1 endpoint cannot be used")),
        many => Err(Failure::new(Code::SETTINGS_REFUSED, format!("{many} endpoints cannot be used"))),
    }
}

async fn endpoint_line(loaded: &Loaded, name: &EndpointName, endpoint: &Endpoint) -> Result<String, Failure> {
    match endpoint {
        Endpoint::Remote(remote) => {
            let addresses: Vec<String> = remote.addresses.iter().map(ToString::to_string).collect();
            Ok(format!("gRPC at {}", addresses.join(", ")))
        }
        Endpoint::Adapter(file) => {
            let adapter: Arc<dyn Adapter> = adapters::open(loaded, name, file).await?;
            let contracts: Vec<&str> = adapter.descriptor().contracts.iter().map(|contract| contract.name.as_str()).collect();
            Ok(format!("{} speaks {}", file.adapter, contracts.join(", ")))
        }
    }
}
