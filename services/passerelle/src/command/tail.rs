//! `passerelle tail`: the journal of a running bus, as it grows.

use std::time::Duration;

use clap::Args;
use passerelle_proto::bus::v1::journal_client::JournalClient;
use passerelle_proto::bus::v1::subscribe_request::From as Origin;
use passerelle_proto::bus::v1::{AcknowledgeRequest, Filter, Message, SubscribeRequest, SubscribeResponse};
use tonic::transport::Channel;

use super::connect::{self, Tls};
use super::event;
use super::publish::refused;
use crate::failure::Failure;
use crate::output::print;

/// How often a durable name is acknowledged while messages come: each time is a record of its own.
const ACKNOWLEDGE_EVERY: Duration = Duration::from_secs(1);

/// What to follow, and how it is shown.
#[derive(Debug, Args)]
#[command(
    about = "Follows the journal of a running bus: what was published; on the admin port also what happened",
    after_help = "Examples:\n  \
        passerelle tail                                    what comes from now on, one line each, until Ctrl-C\n  \
        passerelle tail --from start --stop-at-end         all that is there\n  \
        passerelle tail --name billing --json              goes on where it stopped last time\n  \
        passerelle tail --type 'shop.*' --channel web      only what fits all of these\n  \
        passerelle tail -a http://127.0.0.1:7401           what happens to callbacks and hand-offs as well\n\n\
        A line has position, time, type, source, subject and the size of the content. Customers and contents are personal data and\n\
        are shown with --show-data or --json only; --json prints CloudEvents, one object a line, as `passerelle publish` reads them.\n\
        Exit codes: 0 ended by Ctrl-C, --count or --stop-at-end, 1 the bus refused or went away, 2 wrong arguments."
)]
pub struct Tail {
    /// Where to begin: start, end, or a position
    #[arg(long, value_name = "WHERE", default_value = "end", value_parser = Start::read, conflicts_with = "name")]
    pub from: Start,
    /// A durable name: begins where this name was left last time, and remembers how far it gets
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Goes on with the oldest record that is kept, should what comes next under this name be given up
    #[arg(long, requires = "name")]
    pub skip_missing: bool,
    /// Only these types, may be given several times; a final * stands for anything
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only these sources, in the same way
    #[arg(long = "source", value_name = "URI")]
    pub sources: Vec<String>,
    /// Only these subjects, in the same way
    #[arg(long = "subject", value_name = "SUBJECT")]
    pub subjects: Vec<String>,
    /// Only these channels, may be given several times
    #[arg(long = "channel", value_name = "NAME")]
    pub channels: Vec<String>,
    /// Only these customers, may be given several times
    #[arg(long = "customer", value_name = "KEY")]
    pub customers: Vec<String>,
    /// Ends when all is shown that was there at the beginning
    #[arg(long)]
    pub stop_at_end: bool,
    /// Ends after this many messages
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Prints CloudEvents as JSON, one object a line, with everything
    #[arg(long)]
    pub json: bool,
    /// Shows customers and contents too
    #[arg(long, conflicts_with = "json")]
    pub show_data: bool,
    /// The bus, where channels connect
    #[arg(long, short = 'a', value_name = "URL", env = "PASSERELLE_ADDRESS", default_value = "http://127.0.0.1:7400")]
    pub address: String,
    #[command(flatten)]
    pub tls: Tls,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After what is there.
    End,
    /// At this position.
    Position(u64),
}

impl Start {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "start" => Ok(Self::Position(0)),
            "end" => Ok(Self::End),
            position => {
                position.parse().map(Self::Position).map_err(|_| "write start, end, or a position such as 1042".to_owned())
            }
        }
    }
}

/// Follows until it ends or is ended.
pub(crate) async fn run(tail: &Tail) -> Result<(), Failure> {
    let client = JournalClient::new(connect::channel(&tail.address, &tail.tls)?);
    let mut follower = Follower { tail, client, position: 0, acknowledged: 0, shown: 0 };
    let ended = tokio::select! {
        ended = follower.follow() => ended,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Failure::plain),
    };
    if ended.is_err() && follower.position > 0 && tail.name.is_none() {
        eprintln!("all up to position {} was shown; to go on there: --from {}", follower.position, follower.position + 1);
    }
    // What ended it is the better reason, should this fail too.
    let acknowledged = follower.acknowledge().await;
    ended.and(acknowledged)
}

struct Follower<'a> {
    tail: &'a Tail,
    client: JournalClient<Channel>,
    /// All up to here has been printed.
    position: u64,
    /// What the bus knows of that.
    acknowledged: u64,
    shown: u64,
}

impl Follower<'_> {
    async fn follow(&mut self) -> Result<(), Failure> {
        let subscribed = self.client.subscribe(request(self.tail)).await;
        let mut responses = subscribed.map_err(|status| refused(&self.tail.address, &status))?.into_inner();
        let mut beat = tokio::time::interval(ACKNOWLEDGE_EVERY);
        loop {
            tokio::select! {
                response = responses.message() => match response {
                    Ok(Some(response)) => {
                        if self.show(&response)? {
                            return Ok(());
                        }
                    }
                    Ok(None) => return Ok(()),
                    Err(status) => return Err(refused(&self.tail.address, &status)),
                },
                _ = beat.tick() => self.acknowledge().await?,
            }
        }
    }

    /// Prints what came; whether that was enough.
    fn show(&mut self, response: &SubscribeResponse) -> Result<bool, Failure> {
        for message in &response.messages {
            let line = match self.tail.json {
                true => event::write(response.position, message).map_err(Failure::plain)?,
                false => line(response.position, message, self.tail.show_data),
            };
            print(&format!("{line}\n"));
            self.shown += 1;
        }
        self.position = response.position;
        // A record is shown whole, or a durable name would be acknowledged in the middle of one.
        Ok(self.tail.count.is_some_and(|count| self.shown >= count))
    }

    /// Tells the bus how far a durable name has got.
    async fn acknowledge(&mut self) -> Result<(), Failure> {
        let Some(name) = &self.tail.name else { return Ok(()) };
        if self.position > self.acknowledged {
            let request = AcknowledgeRequest { durable_name: name.clone(), position: self.position };
            self.client.acknowledge(request).await.map_err(|status| refused(&self.tail.address, &status))?;
            self.acknowledged = self.position;
        }
        Ok(())
    }
}

fn request(tail: &Tail) -> SubscribeRequest {
    let from = match (&tail.name, tail.from) {
        (Some(name), _) => Some(Origin::DurableName(name.clone())),
        (None, Start::End) => None,
        (None, Start::Position(position)) => Some(Origin::Position(position)),
    };
    let filter = Filter {
        types: tail.types.clone(),
        sources: tail.sources.clone(),
        subjects: tail.subjects.clone(),
        channels: tail.channels.clone(),
        customers: tail.customers.clone(),
    };
    SubscribeRequest { from, filter: Some(filter), stop_at_end: tail.stop_at_end, skip_missing: tail.skip_missing }
}

/// One message for people.
pub(super) fn line(position: u64, message: &Message, show_data: bool) -> String {
    let time = message.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let mut words = vec![format!("{position:>6}"), time, message.r#type.clone(), message.source.clone()];
    words.extend(Some(message.subject.clone()).filter(|subject| !subject.is_empty()));
    words.push(match (message.data.len(), message.data_content_type.as_str()) {
        (0, _) => "no content".to_owned(),
        (bytes, "") => format!("{bytes} bytes"),
        (bytes, kind) => format!("{bytes} bytes of {}", visible(kind)),
    });
    if show_data {
        words.extend(Some(&message.customer).filter(|key| !key.is_empty()).map(|key| format!("customer {}", visible(key))));
        words.extend((!message.data.is_empty()).then(|| match std::str::from_utf8(&message.data) {
            Ok(text) => visible(text),
            Err(_) => data_encoding::BASE64.encode(&message.data),
        }));
    }
    words.join("  ")
}

/// The text on one line; what could steer a terminal is shown and not done.
fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn personal_data_is_shown_only_when_asked_for() {
        let message = Message {
            r#type: "shop.basket.filled".to_owned(),
            source: "/web".to_owned(),
            subject: "basket-7".to_owned(),
            customer: "4711".to_owned(),
            data: "secret\u{1b}[2J".into(),
            data_content_type: "text/plain".to_owned(),
            ..Message::default()
        };
        expect!["    42  -  shop.basket.filled  /web  basket-7  10 bytes of text/plain"].assert_eq(&line(42, &message, false));
        expect![[r#"    42  -  shop.basket.filled  /web  basket-7  10 bytes of text/plain  customer 4711  secret\u{1b}[2J"#]]
            .assert_eq(&line(42, &message, true));
        let bare = Message { data: vec![0xff].into(), time: Some(prost_types::Timestamp::default()), ..Message::default() };
        expect!["     1  1970-01-01T00:00:00Z      1 bytes  /w=="].assert_eq(&line(1, &bare, true));
    }

    #[test]
    fn where_to_begin_is_read() {
        assert_eq!(Start::read("start"), Ok(Start::Position(0)));
        assert_eq!(Start::read("end"), Ok(Start::End));
        assert_eq!(Start::read("1042"), Ok(Start::Position(1042)));
        for wrong in ["", "-1", "begin", "18446744073709551616"] {
            assert!(Start::read(wrong).is_err(), "{wrong}");
        }
    }
}
