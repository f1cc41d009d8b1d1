//! The kind `mainframe`: opens an adapter from an integrator's file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use passerelle_adapter::{
    Adapter, ContractSource, Descriptor, Kind, Maturity, OpenError, Opening, ProtoFile, Secrets, async_trait,
};
use passerelle_copybook::{Codec, Contract};

use crate::adapter::{Calls, MainframeAdapter};
use crate::contract;
use crate::copybooks::Copybooks;
use crate::file::{File, FileError, Operation as Declared, TransportKind};
use crate::operation::Operation;
use crate::rules::ErrorRules;
use crate::transport::start;

const NAME: &str = "mainframe";

/// Transactions of CICS and IMS behind COBOL copybooks, as gRPC methods.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mainframe;

#[async_trait]
impl Kind for Mainframe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "mainframe transactions (IMS Connect, framed TCP) as gRPC methods, from their COBOL copybooks"
    }

    fn maturity(&self) -> Maturity {
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        File::schema()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn Adapter>, OpenError> {
        let adapter = open(&opening.path, &opening.text, opening.secrets.as_ref());
        Ok(Arc::new(adapter.map_err(|error| OpenError(error.to_string()))?))
    }
}

fn open(path: &Path, text: &str, secrets: &dyn Secrets) -> Result<MainframeAdapter, FileError> {
    let file = File::parse(path, text)?;
    let copybooks = Copybooks::read(path, &file)?;
    let contract = contract::locked(path, &file, &copybooks)?;

    let mut hosts = BTreeMap::new();
    for (name, host) in &file.hosts {
        let transport = start(path, &host.value, file.codec.code_page, secrets)
            .map_err(|problem| FileError::at(path, host.referenced, format!("host {name}: {problem}")))?;
        hosts.insert(name.clone(), transport);
    }
    let mut operations = BTreeMap::new();
    for (name, declared) in &file.operations {
        let here = |problem: String| FileError::at(path, declared.referenced, format!("operation {name}: {problem}"));
        let host = file.host_of(&declared.value).and_then(|host| hosts.get(host)).ok_or_else(|| here("it has no host".into()))?;
        let (request, response) = codecs(&file, &copybooks, &contract, name, &declared.value).map_err(here)?;
        let record = copybooks.record(&declared.value.response).map_err(|error| here(error.to_string()))?;
        let operation = Operation {
            trancode: declared.value.trancode.clone(),
            timeout: declared.value.timeout(),
            idempotent: declared.value.idempotent,
            request,
            response,
            errors: ErrorRules::compile(path, &declared.value.errors, record, &file.codec)?,
            transport: Arc::clone(host),
        };
        operations.insert(method(&file, name), operation);
    }
    let calls_at_once = file.hosts.values().map(|host| u32::from(host.value.pool.max)).sum();
    let descriptor = descriptor(&file, &contract);
    Ok(MainframeAdapter { descriptor, operations, hosts, calls: Calls::default(), calls_at_once })
}

/// The plans for the request and the response of an operation.
pub(crate) fn codecs(
    file: &File,
    copybooks: &Copybooks,
    contract: &Contract,
    name: &str,
    declared: &Declared,
) -> Result<(Codec, Codec), String> {
    let messages = contract.request(name).zip(contract.response(name));
    let (request, response) = messages.ok_or_else(|| "the contract does not have it".to_owned())?;
    let plan = |rules, message| Codec::compile(copybooks.record(rules)?, message, &file.codec);
    let plans = plan(&declared.request, request).and_then(|request| Ok((request, plan(&declared.response, response)?)));
    plans.map_err(|error| error.to_string())
}

fn descriptor(file: &File, contract: &Contract) -> Descriptor {
    let proto = ProtoFile { path: contract.proto_path.clone(), text: contract.proto_text.clone() };
    let is_idempotent = |name: &&String| file.operations.get(*name).is_some_and(|operation| operation.value.idempotent);
    let behind = file.hosts.values().map(|host| {
        let transport = match host.value.transport {
            TransportKind::Tcp => "tcp",
            TransportKind::ImsConnect => "ims_connect",
        };
        format!("{transport} {}", host.value.endpoints.join(", "))
    });
    Descriptor {
        kind: NAME,
        contracts: vec![ContractSource { name: file.contract.package.clone(), files: vec![proto] }],
        idempotent: file.operations.keys().filter(is_idempotent).map(|name| method(file, name)).collect(),
        behind: behind.collect(),
    }
}

fn method(file: &File, operation: &str) -> String {
    format!("{}.{}/{operation}", file.contract.package, file.contract.service)
}
