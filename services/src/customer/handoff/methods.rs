//! The methods, one after another as in the contract.

use passerelle_journal::Position;
use passerelle_proto::Acknowledgement;
use passerelle_proto::customer::v1 as customer;
use passerelle_proto::customer::v1::handoffs_server;
use tonic::{Request, Response, Status};

use super::list::Query;
use super::service::Handoffs;
use super::words::happening;
use super::{Code, Command, Offer, Right, refusal, request, view};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl handoffs_server::Handoffs for Handoffs {
    async fn offer(&self, request: Request<customer::OfferRequest>) -> Answer<customer::OfferResponse> {
        let asked = request.into_inner();
        request::name("idempotency_key", &asked.idempotency_key)?;
        request::name("customer", &asked.customer)?;
        request::channel("from_channel", &asked.from_channel)?;
        request::optional_channel("to_channel", &asked.to_channel)?;
        request::word("matter", &asked.matter)?;
        request::name("step", &asked.step)?;
        let time_to_live = request::time_to_live(asked.time_to_live, self.settings())?;
        let answers = request::answers(asked.context)?;
        let id = self.secret().id(&asked.customer, &asked.idempotency_key);
        let key = self.secret().apart("offer", &[&asked.from_channel], &asked.idempotency_key);
        let offer = Offer {
            customer: asked.customer,
            from_channel: asked.from_channel,
            to_channel: asked.to_channel,
            matter: asked.matter,
            step: asked.step,
            answers,
            time_to_live,
            code: self.draw().await?,
        };
        let done = self.command(&id, &key, Command::Offer(offer)).await?;
        let (code, acknowledgement) = (self.code(&done.answer), Acknowledgement::durable(done.position.0, done.repeated));
        let handoff = view::without_context(&id, done.answer);
        Ok(Response::new(customer::OfferResponse { handoff: Some(handoff), code, acknowledgement: Some(acknowledgement) }))
    }

    async fn issue_code(&self, request: Request<customer::IssueCodeRequest>) -> Answer<customer::IssueCodeResponse> {
        let customer::IssueCodeRequest { idempotency_key, id, channel } = request.into_inner();
        request::name("idempotency_key", &idempotency_key)?;
        request::id(&id)?;
        request::channel("channel", &channel)?;
        let key = self.secret().apart("issue_code", &[&channel], &idempotency_key);
        let done = self.command(&id, &key, Command::IssueCode { channel, code: self.draw().await? }).await?;
        let (code, acknowledgement) = (self.code(&done.answer), Acknowledgement::durable(done.position.0, done.repeated));
        let handoff = view::without_context(&id, done.answer);
        Ok(Response::new(customer::IssueCodeResponse { handoff: Some(handoff), code, acknowledgement: Some(acknowledgement) }))
    }

    async fn resume(&self, request: Request<customer::ResumeRequest>) -> Answer<customer::ResumeResponse> {
        let customer::ResumeRequest { idempotency_key, code, channel, owner } = request.into_inner();
        request::name("idempotency_key", &idempotency_key)?;
        request::channel("channel", &channel)?;
        request::name("owner", &owner)?;
        let code: Code = code.parse().map_err(|error| request::invalid("code", &format!("{error}")))?;
        let (id, hash) = self.opened_by(&code, &channel).await?;
        let key = self.secret().apart("resume", &[&channel, &owner], &idempotency_key);
        let done = self.command(&id, &key, Command::Take { by: Right::Code(hash), channel, owner }).await?;
        let acknowledgement = Acknowledgement::durable(done.position.0, done.repeated);
        let handoff = view::with_context(&id, done.answer);
        Ok(Response::new(customer::ResumeResponse { handoff: Some(handoff), acknowledgement: Some(acknowledgement) }))
    }

    async fn accept(&self, request: Request<customer::AcceptRequest>) -> Answer<customer::AcceptResponse> {
        let customer::AcceptRequest { idempotency_key, id, channel, owner } = request.into_inner();
        request::name("idempotency_key", &idempotency_key)?;
        request::id(&id)?;
        request::channel("channel", &channel)?;
        request::name("owner", &owner)?;
        let key = self.secret().apart("accept", &[&channel, &owner], &idempotency_key);
        let done = self.command(&id, &key, Command::Take { by: Right::Listed, channel, owner }).await?;
        let acknowledgement = Acknowledgement::durable(done.position.0, done.repeated);
        let handoff = view::with_context(&id, done.answer);
        Ok(Response::new(customer::AcceptResponse { handoff: Some(handoff), acknowledgement: Some(acknowledgement) }))
    }

    async fn renew(&self, request: Request<customer::RenewRequest>) -> Answer<customer::RenewResponse> {
        let customer::RenewRequest { idempotency_key, id, fence } = request.into_inner();
        let (handoff, acknowledgement) = self.owner("renew", &idempotency_key, &id, fence, Command::Renew { fence }).await?;
        Ok(Response::new(customer::RenewResponse { handoff, acknowledgement }))
    }

    async fn progress(&self, request: Request<customer::ProgressRequest>) -> Answer<customer::ProgressResponse> {
        let customer::ProgressRequest { idempotency_key, id, fence, expected_revision, step, context } = request.into_inner();
        request::optional_name("step", &step)?;
        let answers = request::answers(context)?;
        let command = Command::Progress { fence, expected_revision, step, answers };
        let (handoff, acknowledgement) = self.owner("progress", &idempotency_key, &id, fence, command).await?;
        Ok(Response::new(customer::ProgressResponse { handoff, acknowledgement }))
    }

    async fn give_back(&self, request: Request<customer::GiveBackRequest>) -> Answer<customer::GiveBackResponse> {
        let customer::GiveBackRequest { idempotency_key, id, fence } = request.into_inner();
        let command = Command::GiveBack { fence };
        let (handoff, acknowledgement) = self.owner("give_back", &idempotency_key, &id, fence, command).await?;
        Ok(Response::new(customer::GiveBackResponse { handoff, acknowledgement }))
    }

    async fn take_back(&self, request: Request<customer::TakeBackRequest>) -> Answer<customer::TakeBackResponse> {
        let customer::TakeBackRequest { idempotency_key, id, channel } = request.into_inner();
        request::name("idempotency_key", &idempotency_key)?;
        request::id(&id)?;
        request::channel("channel", &channel)?;
        let key = self.secret().apart("take_back", &[&channel], &idempotency_key);
        let done = self.command(&id, &key, Command::TakeBack { channel }).await?;
        let acknowledgement = Acknowledgement::durable(done.position.0, done.repeated);
        let handoff = view::with_context(&id, done.answer);
        Ok(Response::new(customer::TakeBackResponse { handoff: Some(handoff), acknowledgement: Some(acknowledgement) }))
    }

    async fn complete(&self, request: Request<customer::CompleteRequest>) -> Answer<customer::CompleteResponse> {
        let customer::CompleteRequest { idempotency_key, id, fence, expected_revision } = request.into_inner();
        let command = Command::Complete { fence, expected_revision };
        let (handoff, acknowledgement) = self.owner("complete", &idempotency_key, &id, fence, command).await?;
        Ok(Response::new(customer::CompleteResponse { handoff, acknowledgement }))
    }

    async fn get(&self, request: Request<customer::GetHandoffRequest>) -> Answer<customer::GetHandoffResponse> {
        let customer::GetHandoffRequest { id } = request.into_inner();
        request::id(&id)?;
        let state = self.state(&id).await?;
        let history = state.history.iter().map(happening).collect();
        Ok(Response::new(customer::GetHandoffResponse { handoff: Some(view::with_context(&id, state)), history }))
    }

    async fn list(&self, request: Request<customer::ListHandoffsRequest>) -> Answer<customer::ListHandoffsResponse> {
        let asked = request.into_inner();
        let query = Query::new(&asked)?;
        let (position, search) = (Position(asked.read_at_least), query.clone());
        let found = self.projection().read_at_least(position, move |connection| search.run(connection)).await;
        Ok(Response::new(query.page(found.map_err(|error| refusal::of_read(&error))?)))
    }
}

impl Handoffs {
    /// A call of the owner, who is known by his fence.
    async fn owner(
        &self,
        method: &str,
        idempotency_key: &str,
        id: &str,
        fence: u64,
        command: Command,
    ) -> Result<(Option<customer::Handoff>, Option<Acknowledgement>), Status> {
        request::name("idempotency_key", idempotency_key)?;
        request::id(id)?;
        let key = self.secret().apart(method, &[&fence.to_string()], idempotency_key);
        let done = self.command(id, &key, command).await?;
        let acknowledgement = Acknowledgement::durable(done.position.0, done.repeated);
        Ok((Some(view::without_context(id, done.answer)), Some(acknowledgement)))
    }
}
