//! The call centre of the demo: it finds a customer in the CRM, and notes what he wants.

use passerelle_proto::backoffice::customers::v1::customers_client::CustomersClient;
use passerelle_proto::backoffice::customers::v1::find_request::Key;
use passerelle_proto::backoffice::customers::v1::{
    AddInteractionRequest, ContactKind, ContactMedium, CreateRequest, Details, Direction, FindRequest, Interaction,
    ListInteractionsRequest,
};
use tonic::Status;
use tonic::transport::Channel;

use super::traffic::refused;

pub(super) const FIND: &str = "passerelle.backoffice.customers.v1.Customers/Find";
const NUMBER: &str = "0000004711";

/// Finds the customer by the number he calls from, notes the call, and tells how many there were.
pub(super) async fn note(channel: &Channel) -> String {
    noted(channel).await.unwrap_or_else(|status| refused(&status))
}

async fn noted(channel: &Channel) -> Result<String, Status> {
    let mut crm = CustomersClient::new(channel.clone());
    let phone = Key::Phone("+33612345678".to_owned());
    let found = crm.find(FindRequest { key: Some(phone), ..FindRequest::default() }).await?.into_inner().customers;
    let id = match found.into_iter().next() {
        Some(customer) => customer.id,
        // The first time the CRM is empty.
        None => crm.create(customer()).await?.into_inner().id,
    };
    let interaction = Interaction {
        direction: Direction::Inbound.into(),
        channel: "call-centre".to_owned(),
        reason: "loan".to_owned(),
        description: "asks when the loan for the car is paid out".to_owned(),
        ..Interaction::default()
    };
    crm.add_interaction(AddInteractionRequest { customer_id: id.clone(), interaction: Some(interaction) }).await?;
    let list = ListInteractionsRequest { customer_id: id, ..ListInteractionsRequest::default() };
    let noted = crm.list_interactions(list).await?.into_inner().interactions.len();
    Ok(format!("found by telephone number; interactions noted so far: {noted}"))
}

fn customer() -> CreateRequest {
    let mobile = ContactMedium { kind: ContactKind::Mobile.into(), value: "+33 6 12 34 56 78".to_owned() };
    let details = Details { name: "Camille Martin".to_owned(), contact_media: vec![mobile], ..Details::default() };
    CreateRequest { number: NUMBER.to_owned(), details: Some(details) }
}
