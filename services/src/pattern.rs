//! `passerelle.bus.v1.PatternOperations`: patterns that hold state, as operators see and control them.

use std::sync::Arc;

use passerelle_bus::pattern::{Patterns, SwitchError};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::pattern_operations_server::{PatternOperations, PatternOperationsServer};
use tonic::{Request, Response, Status};

/// The service.
#[derive(Clone)]
pub struct Operations(Arc<Patterns>);

impl Operations {
    /// Over these patterns.
    #[must_use]
    pub fn new(patterns: Arc<Patterns>) -> Self {
        Self(patterns)
    }

    /// The service for operators, ready for their listener.
    #[must_use]
    pub fn server(self) -> PatternOperationsServer<Self> {
        PatternOperationsServer::new(self)
    }

    fn known(&self, name: &str) -> Result<(), Status> {
        let names: Vec<String> = self.0.status().into_iter().map(|pattern| pattern.name).collect();
        if names.iter().any(|known| known == name) {
            return Ok(());
        }
        let there_are = if names.is_empty() { "none is declared".to_owned() } else { format!("there are {}", names.join(", ")) };
        Err(Status::not_found(format!("name: this bus has no pattern of that name; {there_are}")))
    }
}

#[tonic::async_trait]
impl PatternOperations for Operations {
    async fn list_patterns(&self, _: Request<v1::ListPatternsRequest>) -> Result<Response<v1::ListPatternsResponse>, Status> {
        let mut patterns = Vec::new();
        for status in self.0.status() {
            let unreadable = |error| Status::unavailable(format!("what patterns hold cannot be read for now: {error}"));
            let held = self.0.held(&status.name).await.map_err(unreadable)?;
            patterns.push(v1::Pattern {
                detour: self.0.is_on(&status.name),
                unread: status.reading.unread,
                waiting: status.reading.waiting as u64,
                taken: status.reading.counts.delivered,
                dead: status.reading.counts.dead,
                keys: held.keys,
                messages: held.messages,
                bytes: held.bytes,
                since: held.since.map(Into::into),
                name: status.name,
            });
        }
        Ok(Response::new(v1::ListPatternsResponse { patterns }))
    }

    async fn purge_pattern(
        &self,
        request: Request<v1::PurgePatternRequest>,
    ) -> Result<Response<v1::PurgePatternResponse>, Status> {
        let name = request.into_inner().name;
        self.known(&name)?;
        let keys = self.0.purge(&name).await.map_err(Status::unavailable)?;
        Ok(Response::new(v1::PurgePatternResponse { keys }))
    }

    async fn switch_detour(
        &self,
        request: Request<v1::SwitchDetourRequest>,
    ) -> Result<Response<v1::SwitchDetourResponse>, Status> {
        let v1::SwitchDetourRequest { name, on } = request.into_inner();
        self.known(&name)?;
        self.0.switch(&name, on).await.map_err(|error| match error {
            SwitchError::NoDetour => Status::not_found(format!("name: {error}")),
            SwitchError::Unwritten(_) => Status::unavailable(error.to_string()),
        })?;
        Ok(Response::new(v1::SwitchDetourResponse {}))
    }
}
