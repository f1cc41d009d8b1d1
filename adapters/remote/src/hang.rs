//! Notices an adapter whose connection stands and which answers nothing any more.

use std::time::Duration;

use passerelle_proto::adapter::v1::HealthRequest;
use tokio::time::Instant;

use crate::connection::Client;

/// Between questions. What they are answered is for others: any answer is a sign of life.
const EVERY: Duration = Duration::from_secs(5);

/// Returns when `Health` has not been answered for so long.
pub(crate) async fn until_silent(mut client: Client, hang: Duration) {
    let mut heard = Instant::now();
    loop {
        tokio::time::sleep(EVERY.min(hang)).await;
        match tokio::time::timeout_at(heard + hang.max(EVERY.min(hang) * 2), client.health(HealthRequest {})).await {
            Ok(_) => heard = Instant::now(),
            Err(_) => return,
        }
    }
}
