//! The list of dead letters: which, in pages, the last changed first.

use passerelle_bus::delivery::Grave;
use passerelle_bus::keyed::{Columns, Entities, Entity};
use passerelle_projection::rusqlite::types::Value;
use passerelle_projection::rusqlite::{Connection, Result, params_from_iter};
use passerelle_proto::bus::v1::{
    DeadLetter, DeadLetterReason, DeadLetterState, DeadLetterStatus, ListDeadLettersRequest, ListDeadLettersResponse,
};
use tonic::Status;

/// Letters of a page where the caller does not say, and at most.
const PAGE: u32 = 100;
const LARGEST_PAGE: u32 = 1_000;

/// A question to the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    condition: String,
    values: Vec<Value>,
    page: usize,
}

impl Query {
    /// What a caller asks for.
    pub(super) fn new(asked: &ListDeadLettersRequest) -> std::result::Result<Self, Status> {
        let status = match DeadLetterStatus::try_from(asked.status) {
            Ok(DeadLetterStatus::Unspecified) => DeadLetterStatus::Dead,
            Ok(status) => status,
            Err(_) => return Err(Status::invalid_argument("status: is none of those that dead letters have")),
        };
        let mut values = vec![Value::Integer(i32::from(status).into())];
        let mut conditions = vec!["status = ?1".to_owned()];
        if !asked.delivery.is_empty() {
            values.push(Value::Text(asked.delivery.clone()));
            conditions.push(format!("delivery = ?{}", values.len()));
        }
        match DeadLetterReason::try_from(asked.reason) {
            Ok(DeadLetterReason::Unspecified) => {}
            Ok(reason) => {
                values.push(Value::Integer(i32::from(reason).into()));
                conditions.push(format!("reason = ?{}", values.len()));
            }
            Err(_) => return Err(Status::invalid_argument("reason: is none of those that dead letters have")),
        }
        if !asked.page_token.is_empty() {
            let wrong = || Status::invalid_argument("page_token: is not what a list answered as `next_page_token`");
            let (since, key) = asked.page_token.split_once(' ').ok_or_else(wrong)?;
            values.extend([Value::Integer(since.parse().map_err(|_| wrong())?), Value::Text(key.to_owned())]);
            conditions.push(format!("(since, key) < (?{}, ?{})", values.len() - 1, values.len()));
        }
        let page = match asked.page_size {
            0 => PAGE,
            size if size <= LARGEST_PAGE => size,
            _ => return Err(Status::invalid_argument(format!("page_size: at most {LARGEST_PAGE} can be asked for"))),
        };
        // One more tells whether there is another page.
        let condition = format!("WHERE {} ORDER BY since DESC, key DESC LIMIT {}", conditions.join(" AND "), page + 1);
        Ok(Self { condition, values, page: page as usize })
    }

    /// Asks the table.
    pub(super) fn run(&self, connection: &Connection) -> Result<Vec<Entity<DeadLetterState>>> {
        Entities::<Grave>::select(connection, &self.condition, params_from_iter(&self.values))
    }

    /// The page of what was found.
    pub(super) fn page(&self, mut found: Vec<Entity<DeadLetterState>>) -> ListDeadLettersResponse {
        let more = found.len() > self.page;
        found.truncate(self.page);
        let last = found.last().filter(|_| more);
        let next_page_token = last.map(|entity| format!("{} {}", since(&entity.state), entity.key)).unwrap_or_default();
        let letters = found.into_iter().map(|entity| DeadLetter { id: entity.key, letter: Some(without_content(entity.state)) });
        ListDeadLettersResponse { letters: letters.collect(), next_page_token }
    }
}

fn since(letter: &DeadLetterState) -> i64 {
    let row = Grave::row(letter);
    match row.last() {
        Some(Value::Integer(since)) => *since,
        _ => 0,
    }
}

/// A list is for looking around: what a message holds is shown one at a time.
fn without_content(mut letter: DeadLetterState) -> DeadLetterState {
    if let Some(message) = &mut letter.message {
        message.data.clear();
        message.customer.clear();
    }
    letter
}
