//! The open desk: its two methods, health, drain.

use std::time::Duration;

use passerelle_adapter::{Adapter, Call, Descriptor, Fault, Health, Messages, async_trait};

use crate::file::Limits;
use crate::floor::Floor;
use crate::{place, sit};

const PLACE: &str = "passerelle.backoffice.callback.v1.CallControl/Place";
const SIT: &str = "passerelle.backoffice.callback.v1.Desk/Sit";

/// A desk for advisers.
pub(crate) struct DeskAdapter {
    descriptor: Descriptor,
    floor: Floor,
}

impl DeskAdapter {
    pub(crate) fn new(descriptor: Descriptor, endpoint: String, limits: Limits) -> Self {
        Self { descriptor, floor: Floor::new(endpoint, limits) }
    }
}

#[async_trait]
impl Adapter for DeskAdapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn call(&self, call: Call) -> Result<Messages, Fault> {
        match call.method.as_str() {
            PLACE => place::place(self.floor.clone(), call.messages).await,
            SIT => sit::sit(self.floor.clone(), call.messages).await,
            other => Err(Fault::Unimplemented { message: format!("{other} is not served here, these are: {PLACE}, {SIT}") }),
        }
    }

    async fn health(&self) -> Health {
        match self.floor.advisers() {
            0 => Health::Degraded { reason: "no adviser sits at the desk".to_owned() },
            _ => Health::Ready,
        }
    }

    /// Nobody is waited for: calls that advisers have are on disk, and shown again at the next start.
    async fn drain(&self, _grace: Duration) {
        self.floor.close();
    }
}
