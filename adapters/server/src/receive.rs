//! The hand-over of what is received: as much as the bus has given credit for, forgotten when it is on disk.

use std::collections::HashSet;

use passerelle_adapter::{Adapter, Fault, Received};
use passerelle_proto::adapter::v1::{self, OpenRequest, OpenResponse, open_request};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

type Out = mpsc::Sender<Result<OpenResponse, Status>>;

/// Hands over until the bus goes or the adapter fails.
pub(crate) async fn hand_over(adapter: &dyn Adapter, mut requests: Streaming<OpenRequest>, out: &Out) -> Result<(), Status> {
    let mut receiving = adapter.receive().await.map_err(of_fault)?;
    let mut unsettled = HashSet::new();
    let mut credits = 0_u64;
    loop {
        let next = async {
            // Its place first, so that what came does not wait here while the bus is not listened to.
            let place = out.reserve().await.map_err(|_| Status::cancelled("the bus went away"))?;
            Ok::<_, Status>((place, receiving.next().await.map_err(of_fault)?))
        };
        let request = tokio::select! {
            biased;
            request = requests.message() => request,
            next = next, if credits > 0 => {
                let (place, received) = next?;
                credits -= 1;
                unsettled.insert(received.id.clone());
                place.send(Ok(OpenResponse { received: Some(of_received(received)) }));
                continue;
            }
        };
        // Half-closed or broken: nothing can be taken any more.
        let Ok(Some(request)) = request else { return Ok(()) };
        let handed_over = |known: bool| match known {
            true => Ok(()),
            false => Err(Status::invalid_argument("what was settled was not handed over on this stream, or is settled already")),
        };
        match request.what {
            Some(open_request::What::Credit(credit)) => credits = credits.saturating_add(credit.messages.into()),
            Some(open_request::What::Taken(taken)) => {
                handed_over(unsettled.remove(&taken.id))?;
                receiving.taken(&taken.id).await.map_err(of_fault)?;
            }
            Some(open_request::What::Refused(refused)) => {
                handed_over(unsettled.remove(&refused.id))?;
                receiving.refused(&refused.id, &refused.reason).await.map_err(of_fault)?;
            }
            // A newer bus says something that this version does not know.
            None => {}
        }
    }
}

fn of_received(received: Received) -> v1::Received {
    let Received { id, kind, subject, time, data } = received;
    v1::Received { id, r#type: kind, subject, time: time.map(Into::into), data }
}

/// The hand-over has broken off; the bus opens another one.
fn of_fault(fault: Fault) -> Status {
    match fault {
        Fault::Unimplemented { message } => Status::unimplemented(message),
        fault => Status::unavailable(fault.to_string()),
    }
}
