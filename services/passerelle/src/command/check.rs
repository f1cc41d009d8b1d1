//! `passerelle check`: proves settings without serving or connecting.

use std::sync::Arc;

use passerelle_adapter::Adapter;

use crate::adapters;
use crate::cli::SettingsFile;
use crate::contract_files;
use crate::explain::Code;
use crate::failure::Failure;
use crate::serve::tls;
use crate::settings::{Contract, Endpoint, EndpointName, Loaded};

/// Proves everything that can be proven without a connection; prints an `ok` line for each thing.
pub(super) fn run(file: &SettingsFile) -> Result<(), Failure> {
    let loaded = super::load(file)?;
    println!("ok settings {}", loaded.file().display());
    for tls in [&loaded.settings.tls, &loaded.settings.admin.tls].into_iter().flatten() {
        tls::acceptor(tls).map_err(|error| Failure::new(Code::TLS_UNUSABLE, error))?;
        println!("ok certificate {}", tls.certificate.display());
    }
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

/// The services of a contract that can be read without a connection.
fn spoken(contract: Option<&Contract>) -> Result<String, Failure> {
    let image = match contract {
        None => return Ok(", its contract is added by `passerelle contract add`".to_owned()),
        Some(Contract::Reflection) => return Ok(", which tells its contract by reflection".to_owned()),
        Some(Contract::Proto { files, include }) => contract_files::compile(files, include)?,
        Some(Contract::Image(path)) => contract_files::image(path)?,
    };
    let services: Vec<String> = image.pool().services().map(|service| service.full_name().to_owned()).collect();
    Ok(format!(" speaks {}", services.join(", ")))
}

async fn endpoint_line(loaded: &Loaded, name: &EndpointName, endpoint: &Endpoint) -> Result<String, Failure> {
    match endpoint {
        Endpoint::Remote(remote) => {
            let addresses: Vec<String> = remote.addresses.iter().map(ToString::to_string).collect();
            tls::client(&remote.tls).map_err(|error| Failure::new(Code::TLS_UNUSABLE, error))?;
            Ok(format!("gRPC at {}{}", addresses.join(", "), spoken(remote.contract.as_ref())?))
        }
        Endpoint::Adapter(file) => {
            let adapter: Arc<dyn Adapter> = adapters::open(loaded, name, file).await?;
            let contracts: Vec<&str> = adapter.descriptor().contracts.iter().map(|contract| contract.name.as_str()).collect();
            Ok(format!("{} speaks {}", file.adapter, contracts.join(", ")))
        }
    }
}
