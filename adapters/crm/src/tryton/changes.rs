//! Changes by date: parties that were written, and those that never were since they were made, merged in the order of the date.
//!
//! A transaction has the date of its beginning, and is seen at its end: what is younger than the longest transaction is not told yet, by the
//! server's own clock.

use std::time::Duration;

use passerelle_adapter::Fault;
use passerelle_proto::backoffice::customers::v1::{Change, ChangeKind};
use serde_json::{Value, json};

use super::moment;
use super::rpc::{Rpc, Sort};
use crate::wire::invalid;

/// The changes after the cursor, and the cursor after them.
pub(super) async fn after(
    rpc: &Rpc,
    cursor: Option<&str>,
    size: usize,
    settle: Duration,
) -> Result<(Vec<Change>, String), Fault> {
    let strange = || invalid("cursor is none that this CRM gave");
    let parsed = |cursor: &str| cursor.split_once('-').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let (at, id): (i64, i64) = cursor.map_or(Some((0, 0)), parsed).filter(|(at, id)| *at >= 0 && *id >= 0).ok_or_else(strange)?;
    // Asked for its date only.
    let answered = rpc.call("model.party.party.search", json!([[["id", "=", 0]], 0, 1, null, {}]), Sort::Read).await?;
    let now = answered.at.ok_or_else(|| Fault::unavailable("the server does not say what time it is (no `Date`)"))?;
    let until = moment::of_system(now).saturating_sub(i64::try_from(settle.as_micros()).unwrap_or(i64::MAX));
    let mut found = Vec::new();
    for (field, others) in [("write_date", Value::Null), ("create_date", json!(["write_date", "=", null]))] {
        let from = json!(["OR", [field, ">", moment::write(at)], [[field, "=", moment::write(at)], ["id", ">", id]]]);
        let mut domain = vec![from, json!([field, "<=", moment::write(until)])];
        domain.extend(Some(others).filter(|others| !others.is_null()));
        let order = json!([[field, "ASC"], ["id", "ASC"]]);
        let fields = json!(["create_date", "write_date"]);
        let parameters = json!([domain, 0, size, order, fields, { "active_test": false }]);
        let records = rpc.read("model.party.party.search_read", parameters).await?;
        let records = records.as_array().into_iter().flatten();
        found.extend(records.filter_map(|record| Some((moment::of_record(record)?, record["id"].as_i64()?))));
    }
    found.sort_unstable();
    found.truncate(size);
    let (at, id) = found.last().copied().unwrap_or((at, id));
    let change = |(at, id): (i64, i64)| Change {
        customer_id: id.to_string(),
        kind: ChangeKind::Saved.into(),
        version: at.to_string(),
        at: Some(moment::to_proto(at)),
    };
    Ok((found.into_iter().map(change).collect(), format!("{at}-{id}")))
}
