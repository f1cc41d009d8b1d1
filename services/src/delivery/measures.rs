//! What is measured of deliveries.

use metrics::Unit;

use super::Deliveries;

const DELIVERED: &str = "passerelle_delivery_delivered_total";
const FAILED: &str = "passerelle_delivery_failed_total";
const DEAD: &str = "passerelle_delivery_dead_letters_total";
const WAITING: &str = "passerelle_delivery_waiting";
const UNDER_WAY: &str = "passerelle_delivery_under_way";
const UNREAD: &str = "passerelle_delivery_unread_records";
const CONSUMERS: &str = "passerelle_delivery_consumers";
const AWAY: &str = "passerelle_delivery_away";
const REPEATED: &str = "passerelle_delivery_repeated_total";

/// Name, unit and meaning of every metric of deliveries; each has the label `delivery`.
pub const METRICS: [(&str, Unit, &str); 9] = [
    (DELIVERED, Unit::Count, "messages delivered, by delivery"),
    (FAILED, Unit::Count, "attempts to deliver a message that failed or found the destination away, by delivery"),
    (DEAD, Unit::Count, "messages given up as dead letters, by delivery; to be alarmed about"),
    (WAITING, Unit::Count, "messages read and not settled, by delivery"),
    (UNDER_WAY, Unit::Count, "messages with the destination at this moment, by delivery"),
    (UNREAD, Unit::Count, "records of the journal that are still to be read, by delivery; grows when its consumers are too slow"),
    (CONSUMERS, Unit::Count, "consumers at this moment, by delivery"),
    (AWAY, Unit::Count, "1 while the destination is away, else 0, by delivery"),
    (REPEATED, Unit::Count, "messages that were not delivered because one with the same key had been, by delivery"),
];

impl Deliveries {
    /// Writes down how all deliveries are.
    pub fn measure(&self) {
        for one in self.0.all.values() {
            let status = one.delivery.status();
            let name = || one.name.clone();
            metrics::counter!(DELIVERED, "delivery" => name()).absolute(status.counts.delivered);
            metrics::counter!(FAILED, "delivery" => name()).absolute(status.counts.failed);
            metrics::counter!(DEAD, "delivery" => name()).absolute(status.counts.dead);
            metrics::gauge!(WAITING, "delivery" => name()).set(status.waiting as f64);
            metrics::gauge!(UNDER_WAY, "delivery" => name()).set(status.under_way as f64);
            metrics::gauge!(UNREAD, "delivery" => name()).set(status.unread as f64);
            metrics::counter!(REPEATED, "delivery" => name()).absolute(status.counts.repeated);
            metrics::gauge!(AWAY, "delivery" => name()).set(f64::from(u8::from(status.absence.is_some())));
            metrics::gauge!(CONSUMERS, "delivery" => name()).set(f64::from(one.consumers.count()));
        }
    }
}
