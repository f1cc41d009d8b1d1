//! gRPC server reflection over what is registered at the moment of the question, v1 and v1alpha.
//!
//! Through it, tools that know nothing of the bus (buf curl, grpcui, Postman) see and call every contract.

mod answer;
mod catalogue;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;

use passerelle_bus::contract::{Image, ImageError, Registry};
use prost::Message;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use tonic_reflection::pb::{v1, v1alpha};

use self::answer::Session;
use self::catalogue::Catalogue;

/// The reflection service of one listener.
///
/// Cheap to clone. Lists itself, the services given with [`Reflection::with_services`], and, if it was given a registry,
/// the newest version of each contract.
#[derive(Clone)]
pub struct Reflection {
    catalogue: Arc<Catalogue>,
}

impl Reflection {
    /// Lists nothing but reflection itself.
    ///
    /// # Errors
    /// None in practice: reflection's own descriptors are compiled in.
    pub fn new() -> Result<Self, ImageError> {
        let empty = Self { catalogue: Arc::new(Catalogue::default()) };
        let v1 = Image::decode(v1::FILE_DESCRIPTOR_SET)?;
        let v1alpha = Image::decode(v1alpha::FILE_DESCRIPTOR_SET)?;
        Ok(empty
            .with_services(v1, &["grpc.reflection.v1.ServerReflection"])
            .with_services(v1alpha, &["grpc.reflection.v1alpha.ServerReflection"]))
    }

    /// Lists those `services` of `image` too: services that the process itself offers on this listener.
    #[must_use]
    pub fn with_services(self, image: Image, services: &[&str]) -> Self {
        let services = services.iter().map(|&service| service.to_owned()).collect();
        Self { catalogue: Arc::new(self.catalogue.with_own(image, services)) }
    }

    /// Lists all that is registered too, as of the moment of each question.
    #[must_use]
    pub fn with_contracts(self, registry: Arc<Registry>) -> Self {
        Self { catalogue: Arc::new(self.catalogue.with_registry(registry)) }
    }

    /// The service of `grpc.reflection.v1`.
    pub fn v1(&self) -> v1::server_reflection_server::ServerReflectionServer<Self> {
        v1::server_reflection_server::ServerReflectionServer::new(self.clone())
    }

    /// The service of `grpc.reflection.v1alpha`.
    pub fn v1alpha(&self) -> v1alpha::server_reflection_server::ServerReflectionServer<Self> {
        v1alpha::server_reflection_server::ServerReflectionServer::new(self.clone())
    }

    fn answers<Questions>(
        &self,
        questions: Questions,
    ) -> impl Stream<Item = Result<v1::ServerReflectionResponse, Status>> + use<Questions>
    where
        Questions: Stream<Item = Result<v1::ServerReflectionRequest, Status>>,
    {
        let mut session = Session::new(Arc::clone(&self.catalogue));
        questions.map(move |question| question.map(|question| session.answer(question)))
    }
}

type Answers<Response> = Pin<Box<dyn Stream<Item = Result<Response, Status>> + Send>>;

#[tonic::async_trait]
impl v1::server_reflection_server::ServerReflection for Reflection {
    type ServerReflectionInfoStream = Answers<v1::ServerReflectionResponse>;

    async fn server_reflection_info(
        &self,
        request: Request<Streaming<v1::ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        Ok(Response::new(Box::pin(self.answers(request.into_inner()))))
    }
}

#[tonic::async_trait]
impl v1alpha::server_reflection_server::ServerReflection for Reflection {
    type ServerReflectionInfoStream = Answers<v1alpha::ServerReflectionResponse>;

    async fn server_reflection_info(
        &self,
        request: Request<Streaming<v1alpha::ServerReflectionRequest>>,
    ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
        let questions = request.into_inner().map(|question| recast(&question?));
        let answers = self.answers(questions).map(|answer| recast(&answer?));
        Ok(Response::new(Box::pin(answers)))
    }
}

/// The messages of v1alpha and v1 are the same on the wire.
fn recast<Theirs: Message, Ours: Message + Default>(message: &Theirs) -> Result<Ours, Status> {
    Ours::decode(message.encode_to_vec().as_slice()).map_err(|error| Status::internal(error.to_string()))
}
