//! An author's adapter as the port has it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use passerelle_adapter::{
    Abilities, Call, ContractSource, Descriptor, Fault, Health, Kind, Lookup, Maturity, Messages, OpenError, Opening, async_trait,
};

use crate::carry::Carrier;
use crate::contract::Method;
use crate::{Adapter, Contract, settings};

/// What a look-up waits for a call that is under way.
const LOOKUP: Duration = Duration::from_secs(10);

/// Methods by full name.
type Methods<A> = Arc<BTreeMap<&'static str, Arc<Method<A>>>>;

/// The kind of an author's adapter.
pub(crate) struct Typed<A> {
    summary: &'static str,
    contracts: Vec<ContractSource>,
    methods: Methods<A>,
}

/// An author's adapter, open.
struct Open<A> {
    adapter: Arc<A>,
    descriptor: Descriptor,
    methods: Methods<A>,
    carrier: Carrier,
}

impl<A: Adapter> Typed<A> {
    pub(crate) fn new(summary: &'static str, contracts: Vec<Contract<A>>) -> Self {
        let (sources, methods): (_, Vec<_>) = contracts.into_iter().map(|contract| (contract.source, contract.methods)).unzip();
        let methods = methods.into_iter().flatten().map(|method| (method.name, Arc::new(method)));
        Self { summary, contracts: sources, methods: Arc::new(methods.collect()) }
    }

    fn descriptor(&self, adapter: &A) -> Descriptor {
        let idempotent = self.methods.values().filter(|method| method.idempotent).map(|method| method.name.to_owned());
        let behind = Some(A::BEHIND(adapter)).filter(|behind| !behind.is_empty());
        Descriptor {
            kind: A::KIND,
            contracts: self.contracts.clone(),
            idempotent: idempotent.collect(),
            behind: behind.into_iter().collect(),
        }
    }
}

#[async_trait]
impl<A: Adapter> Kind for Typed<A> {
    fn name(&self) -> &'static str {
        A::KIND
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn maturity(&self) -> Maturity {
        // Not told over the wire.
        Maturity::Alpha
    }

    fn settings_schema(&self) -> serde_json::Value {
        settings::schema::<A::Settings>()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn passerelle_adapter::Adapter>, OpenError> {
        let settings: A::Settings = settings::read(&opening.text)?;
        let adapter = A::open(&opening.endpoint, settings)?;
        let (descriptor, carrier) = (self.descriptor(&adapter), Carrier::new(A::LIMITS.calls.max(1)));
        Ok(Arc::new(Open { adapter: Arc::new(adapter), descriptor, methods: self.methods.clone(), carrier }))
    }
}

impl<A: Adapter> Open<A> {
    /// Asks the adapter in a thread.
    async fn ask<T: Send + 'static>(&self, question: impl FnOnce(&A) -> T + Send + 'static) -> Option<T> {
        let adapter = self.adapter.clone();
        tokio::task::spawn_blocking(move || question(&adapter)).await.ok()
    }
}

#[async_trait]
impl<A: Adapter> passerelle_adapter::Adapter for Open<A> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn abilities(&self) -> Abilities {
        Abilities { lookup: A::LOOK_UP.is_some() }
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        let Some(method) = self.methods.get(call.method.as_str()) else {
            let names: Vec<&str> = self.methods.keys().copied().collect();
            return Err(Fault::Unimplemented { message: format!("there is no such method (there are: {})", names.join(", ")) });
        };
        self.carrier.carry(self.adapter.clone(), method.clone(), call).await
    }

    async fn lookup(&self, idempotency_key: &str) -> Result<Lookup, Fault> {
        let Some(look_up) = A::LOOK_UP else {
            return Err(Fault::Unimplemented { message: "this adapter cannot look up what became of an operation".to_owned() });
        };
        if tokio::time::timeout(LOOKUP, self.carrier.keys.ended(idempotency_key)).await.is_err() {
            return Err(Fault::Unavailable { retry_after: Some(LOOKUP), message: "the operation is still under way".to_owned() });
        }
        let key = idempotency_key.to_owned();
        let found = self.ask(move |adapter| look_up(adapter, &key)).await;
        found.unwrap_or_else(|| Err(Fault::unavailable("the adapter panicked as it looked; its log says where")))
    }

    async fn health(&self) -> Health {
        let panicked = || Health::Down { reason: "the adapter panicked as it was asked; its log says where".to_owned() };
        self.ask(A::HEALTH).await.unwrap_or_else(panicked)
    }

    async fn drain(&self, grace: Duration) {
        // Late or not: who drains has its own patience.
        let _ = tokio::time::timeout(grace, self.carrier.ended()).await;
    }
}

#[cfg(test)]
#[path = "kind_tests.rs"]
mod tests;
