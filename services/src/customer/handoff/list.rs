//! The list: which hand-offs, in pages, the last changed first.

use passerelle_bus::keyed::{Entities, Entity};
use passerelle_projection::rusqlite::types::Value;
use passerelle_projection::rusqlite::{Connection, Result, params_from_iter};
use passerelle_proto::bus::v1::HandoffState;
use passerelle_proto::customer::v1::handoff::Status as Standing;
use passerelle_proto::customer::v1::{ListHandoffsRequest, ListHandoffsResponse};
use tonic::Status;

use super::{Handoff, request, view};

/// Hand-offs of a page where the caller does not say.
const PAGE: u32 = 100;
/// Most hand-offs of a page.
const LARGEST_PAGE: u32 = 1_000;

/// A question to the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    condition: String,
    values: Vec<Value>,
    page: usize,
}

/// Where a page ended: when that hand-off changed, and its name.
type Place = (i64, String);

impl Query {
    /// What a caller asks for.
    pub(super) fn new(asked: &ListHandoffsRequest) -> std::result::Result<Self, Status> {
        let mut conditions = vec!["1".to_owned()];
        let mut values = Vec::new();
        if !asked.customer.is_empty() {
            request::name("customer", &asked.customer)?;
            values.push(Value::Text(asked.customer.clone()));
            conditions.push(format!("customer = ?{}", values.len()));
        }
        if !asked.channel.is_empty() {
            request::channel("channel", &asked.channel)?;
            values.push(Value::Text(asked.channel.clone()));
            let (own, offered) = (values.len(), i32::from(Standing::Offered));
            conditions.push(format!("(owner_channel = ?{own} OR (status = {offered} AND to_channel IN ('', ?{own})))"));
        }
        match Standing::try_from(asked.status) {
            Ok(Standing::Unspecified) => {}
            Ok(status) => conditions.push(format!("status = {}", i32::from(status))),
            Err(_) => return Err(request::invalid("status", "is none of those that hand-offs have")),
        }
        if !asked.page_token.is_empty() {
            let (changed, key) = place(&asked.page_token)?;
            values.extend([Value::Integer(changed), Value::Text(key)]);
            conditions.push(format!("(changed, key) < (?{}, ?{})", values.len() - 1, values.len()));
        }
        let page = match asked.page_size {
            0 => PAGE,
            size if size <= LARGEST_PAGE => size,
            _ => return Err(request::invalid("page_size", &format!("at most {LARGEST_PAGE} can be asked for"))),
        };
        // One more tells whether there is another page.
        let condition = format!("WHERE {} ORDER BY changed DESC, key DESC LIMIT {}", conditions.join(" AND "), page + 1);
        Ok(Self { condition, values, page: page as usize })
    }

    /// Asks the table.
    pub(super) fn run(&self, connection: &Connection) -> Result<Vec<Entity<HandoffState>>> {
        Entities::<Handoff>::select(connection, &self.condition, params_from_iter(&self.values))
    }

    /// The page of what was found.
    pub(super) fn page(&self, mut found: Vec<Entity<HandoffState>>) -> ListHandoffsResponse {
        let more = found.len() > self.page;
        found.truncate(self.page);
        let last = found.last().filter(|_| more);
        let next_page_token = last.map(|entity| token(&(changed(&entity.state), entity.key.clone()))).unwrap_or_default();
        let handoffs = found.into_iter().map(|entity| view::without_context(&entity.key, entity.state)).collect();
        ListHandoffsResponse { handoffs, next_page_token }
    }
}

fn changed(state: &HandoffState) -> i64 {
    state.changed_at.map_or(0, super::codes::microseconds)
}

fn token((changed, key): &Place) -> String {
    format!("{changed}-{key}")
}

fn place(token: &str) -> std::result::Result<Place, Status> {
    let wrong = || request::invalid("page_token", "is not what a list answered as `next_page_token`");
    let (changed, key) = token.split_once('-').ok_or_else(wrong)?;
    request::id(key).map_err(|_| wrong())?;
    Ok((changed.parse().map_err(|_| wrong())?, key.to_owned()))
}
