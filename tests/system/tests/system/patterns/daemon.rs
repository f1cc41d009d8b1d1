//! Patterns through the real daemon, whose journal is followed on the operators' port.

use std::time::Duration;

use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::subscribe_request::From;
use passerelle_proto::bus::v1::{Message, PublishRequest, SubscribeRequest, SubscribeResponse};
use passerelle_system::{Daemon, World};
use tonic::Streaming;

use super::Bus;

pub(super) struct Served {
    pub(super) daemon: Daemon,
    journal: Streaming<SubscribeResponse>,
    /// Of the last record that was seen.
    position: u64,
}

impl Served {
    pub(super) async fn start(route_file: &str) -> Self {
        let world = World::default().settings("routes: routes\n").file("routes/patterns.yaml", route_file);
        let checked = world.run(&["check", "--settings", "passerelle.yaml"]);
        assert!(checked.status.success(), "{checked:?}");
        let daemon = world.serve();
        let journal = follow(&daemon, 0, false).await;
        Self { daemon, journal, position: 0 }
    }

    /// What an operator does.
    fn operate(&self, arguments: &[&str]) {
        let admin = format!("http://{}", self.daemon.admin);
        let done = World::default().run(&[arguments, &["--admin", &admin]].concat());
        assert!(done.status.success(), "{done:?}");
    }

    fn take(&mut self, response: SubscribeResponse) -> Vec<Message> {
        self.position = response.position;
        response.messages
    }
}

async fn follow(daemon: &Daemon, position: u64, stop_at_end: bool) -> Streaming<SubscribeResponse> {
    let mut client = JournalClient::connect(format!("http://{}", daemon.admin)).await.unwrap();
    let request = SubscribeRequest { from: Some(From::Position(position)), stop_at_end, ..SubscribeRequest::default() };
    client.subscribe(request).await.unwrap().into_inner()
}

impl Bus for Served {
    async fn publish(&mut self, messages: Vec<Message>) {
        let mut client = JournalClient::connect(self.daemon.address()).await.unwrap();
        for message in messages {
            let request = PublishRequest { messages: vec![message], ..PublishRequest::default() };
            client.publish(request).await.unwrap();
        }
    }

    async fn switch(&mut self, pattern: &str, on: bool) {
        self.operate(&["patterns", "detour", pattern, if on { "on" } else { "off" }]);
    }

    async fn purge(&mut self, pattern: &str) {
        self.operate(&["patterns", "purge", pattern]);
    }

    /// By itself: what must happen then is waited for.
    async fn pass(&mut self, _: Duration) {}

    async fn next(&mut self) -> Vec<Message> {
        let response = self.journal.message().await.unwrap().expect("a subscription goes on");
        self.take(response)
    }

    /// What the bus does when it ends, and when it begins anew, is seen as well.
    async fn end(self) -> Vec<Message> {
        let Self { daemon, position, .. } = self;
        let daemon = daemon.restart();
        let mut rest = follow(&daemon, position + 1, true).await;
        let mut messages = Vec::new();
        while let Some(response) = rest.message().await.unwrap() {
            messages.extend(response.messages);
        }
        messages
    }
}
