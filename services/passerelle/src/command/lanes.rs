//! `passerelle lanes`: the deliveries of a running bus: what waits, how old it is, how quickly it goes.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, SystemTime};

use clap::Args;
use passerelle_proto::bus::v1::delivery_operations_client::DeliveryOperationsClient;
use passerelle_proto::bus::v1::{Delivery, ListDeliveriesRequest};
use tokio::time::Instant;

use super::connect::{self, Tls};
use super::contract::listing::aligned;
use super::endpoint::failed;
use crate::failure::Failure;
use crate::output::print;

/// Clears a terminal and begins at its top (ECMA-48, CUP and ED).
const FROM_THE_TOP: &str = "\x1b[H\x1b[2J";

/// Which bus, and whether to go on.
#[derive(Debug, Args)]
#[command(
    about = "Shows the deliveries of a running bus: what waits, the oldest message, how quickly they go, whether their destinations are there",
    after_help = "Examples:\n  passerelle lanes            once\n  passerelle lanes --watch 2  every two seconds, with rates, until Ctrl-C"
)]
pub struct Lanes {
    /// Goes on, every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub watch: Option<u64>,
    /// The bus's admin address
    #[arg(long, value_name = "URL", env = "PASSERELLE_ADMIN", default_value = "http://127.0.0.1:7401")]
    pub admin: String,
    #[command(flatten)]
    pub tls: Tls,
}

/// Asks the bus, and prints what it says.
pub(crate) async fn run(lanes: &Lanes) -> Result<(), Failure> {
    let mut client = DeliveryOperationsClient::new(connect::channel(&lanes.admin, &lanes.tls)?);
    let mut before: Option<(Instant, BTreeMap<String, u64>)> = None;
    loop {
        let response = client.list_deliveries(ListDeliveriesRequest {}).await;
        let deliveries = response.map_err(|status| failed(&lanes.admin, &status))?.into_inner().deliveries;
        let at = Instant::now();
        let rates = before.as_ref().map(|(then, counts)| Rates { counts, seconds: (at - *then).as_secs_f64() });
        let text = table(&deliveries, SystemTime::now(), rates.as_ref());
        match lanes.watch {
            Some(_) if std::io::stdout().is_terminal() => print(&format!("{FROM_THE_TOP}{text}")),
            _ => print(&text),
        }
        let Some(seconds) = lanes.watch else { return Ok(()) };
        before = Some((at, deliveries.into_iter().map(|delivery| (delivery.name, delivery.delivered)).collect()));
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            ended = tokio::signal::ctrl_c() => return ended.map_err(Failure::plain),
        }
    }
}

/// What was delivered when it was asked the last time.
struct Rates<'a> {
    counts: &'a BTreeMap<String, u64>,
    seconds: f64,
}

fn table(deliveries: &[Delivery], now: SystemTime, rates: Option<&Rates<'_>>) -> String {
    if deliveries.is_empty() {
        return "no delivery is declared; passerelle reference settings shows how (`deliveries`)\n".to_owned();
    }
    let head = [
        "DELIVERY",
        "TO",
        "STATE",
        "WAITING",
        "UNDER WAY",
        "LANES",
        "UNREAD",
        "OLDEST",
        "DELIVERED",
        "A SECOND",
        "REPEATED",
        "FAILED",
        "DEAD",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(deliveries.iter().map(|delivery| {
        let rate = rates.and_then(|rates| {
            let before = rates.counts.get(&delivery.name)?;
            Some(format!("{:.0}", delivery.delivered.saturating_sub(*before) as f64 / rates.seconds))
        });
        [
            delivery.name.clone(),
            delivery.to.clone(),
            state(delivery, now),
            delivery.waiting.to_string(),
            delivery.under_way.to_string(),
            delivery.lanes.to_string(),
            delivery.unread.to_string(),
            age(delivery, now),
            delivery.delivered.to_string(),
            rate.unwrap_or_else(|| "-".to_owned()),
            delivery.repeated.to_string(),
            delivery.failed.to_string(),
            delivery.dead.to_string(),
        ]
    }));
    let away = deliveries.iter().filter_map(|delivery| {
        let absence = delivery.absence.as_ref()?;
        Some(format!("{} is away: {}\n", delivery.name, absence.why))
    });
    aligned(&rows, "") + &away.collect::<String>()
}

/// Whether the destination is there.
fn state(delivery: &Delivery, now: SystemTime) -> String {
    let from_now = |time: Option<prost_types::Timestamp>| time.and_then(|time| SystemTime::try_from(time).ok());
    match &delivery.absence {
        Some(absence) => {
            let since = from_now(absence.since).and_then(|since| now.duration_since(since).ok()).unwrap_or_default();
            let next = from_now(absence.next_attempt).and_then(|next| next.duration_since(now).ok());
            let next = next.map_or_else(|| "asked now".to_owned(), |next| format!("asked in {}", span(next.as_secs())));
            format!("away for {}, {next}", span(since.as_secs()))
        }
        None if delivery.to != "consumers" => "there".to_owned(),
        None => match delivery.consumers {
            0 => "no consumer".to_owned(),
            1 => "1 consumer".to_owned(),
            count => format!("{count} consumers"),
        },
    }
}

/// How long the oldest message has waited.
fn age(delivery: &Delivery, now: SystemTime) -> String {
    let written = delivery.oldest.and_then(|oldest| SystemTime::try_from(oldest).ok());
    let Some(seconds) = written.map(|written| now.duration_since(written).unwrap_or_default().as_secs()) else {
        return "-".to_owned();
    };
    span(seconds)
}

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use passerelle_proto::bus::v1::Absence;

    use super::*;

    #[test]
    fn a_delivery_is_a_line() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        let at = |seconds| Some((SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into());
        let there = Delivery {
            name: "crm".to_owned(),
            to: "consumers".to_owned(),
            consumers: 2,
            waiting: 3,
            under_way: 1,
            lanes: 2,
            oldest: at(9_990),
            delivered: 120,
            ..Delivery::default()
        };
        let why = "UNAVAILABLE: back office mail is down".to_owned();
        let absence = Some(Absence { since: at(9_700), next_attempt: at(10_012), why });
        let to = "mail.v1.Mail/Send".to_owned();
        let away = Delivery { name: "mail".to_owned(), to, absence, oldest: at(0), dead: 4, ..there.clone() };
        let back = Delivery { name: "post".to_owned(), absence: None, repeated: 7, ..away.clone() };
        let alone = Delivery { name: "web".to_owned(), consumers: 0, oldest: None, delivered: 0, ..there.clone() };
        let counts = BTreeMap::from([("crm".to_owned(), 20)]);
        let rates = Rates { counts: &counts, seconds: 2.0 };
        expect![[r#"
            DELIVERY  TO                 STATE                          WAITING  UNDER WAY  LANES  UNREAD  OLDEST  DELIVERED  A SECOND  REPEATED  FAILED  DEAD
            crm       consumers          2 consumers                    3        1          2      0       10 s    120        50        0         0       0
            mail      mail.v1.Mail/Send  away for 5 min, asked in 12 s  3        1          2      0       2 h     120        -         0         0       4
            post      mail.v1.Mail/Send  there                          3        1          2      0       2 h     120        -         7         0       4
            web       consumers          no consumer                    3        1          2      0       -       0          -         0         0       0
            mail is away: UNAVAILABLE: back office mail is down
        "#]].assert_eq(&table(&[there, away, back, alone], now, Some(&rates)));
        assert_eq!(table(&[], now, None), "no delivery is declared; passerelle reference settings shows how (`deliveries`)\n");
    }
}
