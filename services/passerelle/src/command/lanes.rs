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
    about = "Shows the deliveries of a running bus: what waits, the oldest message, how quickly they go, how many consume them",
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
    let head =
        ["DELIVERY", "CONSUMERS", "WAITING", "UNDER WAY", "LANES", "UNREAD", "OLDEST", "DELIVERED", "A SECOND", "FAILED", "DEAD"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(deliveries.iter().map(|delivery| {
        let rate = rates.and_then(|rates| {
            let before = rates.counts.get(&delivery.name)?;
            Some(format!("{:.0}", delivery.delivered.saturating_sub(*before) as f64 / rates.seconds))
        });
        [
            delivery.name.clone(),
            delivery.consumers.to_string(),
            delivery.waiting.to_string(),
            delivery.under_way.to_string(),
            delivery.lanes.to_string(),
            delivery.unread.to_string(),
            age(delivery, now),
            delivery.delivered.to_string(),
            rate.unwrap_or_else(|| "-".to_owned()),
            delivery.failed.to_string(),
            delivery.dead.to_string(),
        ]
    }));
    aligned(&rows, "")
}

/// How long the oldest message has waited.
fn age(delivery: &Delivery, now: SystemTime) -> String {
    let written = delivery.oldest.and_then(|oldest| SystemTime::try_from(oldest).ok());
    let Some(seconds) = written.map(|written| now.duration_since(written).unwrap_or_default().as_secs()) else {
        return "-".to_owned();
    };
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

    use super::*;

    #[test]
    fn a_delivery_is_a_line() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        let at = |seconds| Some((SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into());
        let there = Delivery {
            name: "crm".to_owned(),
            consumers: 2,
            waiting: 3,
            under_way: 1,
            lanes: 2,
            oldest: at(9_990),
            delivered: 120,
            ..Delivery::default()
        };
        let failing = Delivery { name: "mail".to_owned(), oldest: at(0), dead: 4, ..there.clone() };
        let alone = Delivery { name: "web".to_owned(), consumers: 0, oldest: None, delivered: 0, ..there.clone() };
        let counts = BTreeMap::from([("crm".to_owned(), 20)]);
        let rates = Rates { counts: &counts, seconds: 2.0 };
        expect![[r#"
            DELIVERY  CONSUMERS  WAITING  UNDER WAY  LANES  UNREAD  OLDEST  DELIVERED  A SECOND  FAILED  DEAD
            crm       2          3        1          2      0       10 s    120        50        0       0
            mail      2          3        1          2      0       2 h     120        -         0       4
            web       0          3        1          2      0       -       0          -         0       0
        "#]]
        .assert_eq(&table(&[there, failing, alone], now, Some(&rates)));
        assert_eq!(table(&[], now, None), "no delivery is declared; passerelle reference settings shows how (`deliveries`)\n");
    }
}
