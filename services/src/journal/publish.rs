//! One request, one record.

use passerelle_journal::Outcome;
use passerelle_proto::bus::v1::PublishResponse;
use passerelle_proto::{Acknowledgement, AcknowledgementLevel};
use tonic::Status;

use super::request::PublishRequest;
use super::{Service, message, record, refusal};

/// Messages of one request at most.
const MOST_MESSAGES: usize = 1000;

impl Service {
    /// Writes messages as one record.
    pub(super) async fn publish(&self, request: PublishRequest) -> Result<PublishResponse, Status> {
        let level = level(request.acknowledge)?;
        check(&request)?;
        let mut records = record::Records::new(self.settings.fingerprint_key);
        records.begin((self.settings.now)());
        let entry = records.entry(&request.messages).map_err(|(index, fault)| refusal::of_message(index as u64, &fault))?;
        let append = self.journal.append(vec![entry]).await;
        let receipt = append.map_err(|error| refusal::of_append(&error))?;
        let acknowledgement = match level {
            AcknowledgementLevel::Accepted => Acknowledgement { level: level.into(), position: 0, repeated: false },
            _ => durable(&receipt.durable().await.map_err(|error| refusal::of_append(&error))?)?,
        };
        Ok(PublishResponse { acknowledgement: Some(acknowledgement) })
    }
}

fn level(asked: i32) -> Result<AcknowledgementLevel, Status> {
    match AcknowledgementLevel::try_from(asked) {
        Ok(AcknowledgementLevel::Unspecified) => Ok(AcknowledgementLevel::Durable),
        Ok(level @ (AcknowledgementLevel::Accepted | AcknowledgementLevel::Durable)) => Ok(level),
        _ => Err(Status::invalid_argument(
            "acknowledge: the journal says ACCEPTED or DURABLE; what is beyond is a back office's to say",
        )),
    }
}

fn check(request: &PublishRequest) -> Result<(), Status> {
    let refused = |why: String| Err(Status::invalid_argument(format!("messages: {why}")));
    let bytes: usize = request.messages.iter().map(bytes::Bytes::len).sum();
    match request.messages.len() {
        0 => refused("there is none".to_owned()),
        count if count > MOST_MESSAGES => refused(format!(
            "there are {count}, at most {MOST_MESSAGES} are one record; send them in several requests, or by PublishStream"
        )),
        count if count > 1 && bytes > message::LARGEST => refused(format!(
            "together they have {bytes} bytes, at most {} are one record; send them in several requests, or by PublishStream",
            message::LARGEST
        )),
        _ => Ok(()),
    }
}

/// What became of the one entry.
fn durable(outcomes: &[Outcome]) -> Result<Acknowledgement, Status> {
    let (position, repeated) = match outcomes.first() {
        Some(Outcome::Written(position)) => (position.0, false),
        Some(Outcome::Repeated(position)) => (position.0, true),
        outcome => return Err(Status::internal(format!("the journal answered {outcome:?} to a message without a key"))),
    };
    Ok(Acknowledgement { level: AcknowledgementLevel::Durable.into(), position, repeated })
}
