//! Reads the contract of a running server by gRPC reflection: v1, and v1alpha where only that is offered.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use super::image::{MAX_FILES, MAX_IMAGE_BYTES};

/// Services that one server may list.
const MAX_SERVICES: usize = 1_000;

/// v1 and v1alpha differ in their path only; their messages are the same on the wire.
const V1: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const V1ALPHA: &str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

/// Services that say nothing of the contract.
const SKIPPED: [&str; 3] =
    ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// A server's contract could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReflectError {
    /// Neither version of reflection is there.
    #[error(
        "the server offers no gRPC reflection; turn it on there, or give its .proto files or an image (protoc -o, buf build -o)"
    )]
    NotOffered,
    /// The server lists nothing but health and reflection.
    #[error("the server's reflection lists no service besides health and reflection")]
    NoService,
    /// It took too long.
    #[error("the server's reflection did not answer in full within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The call failed.
    #[error("{}", described(.0))]
    Call(Box<Status>),
    /// The server refused to describe something that it listed or imports.
    #[error("the server's reflection does not describe {what}: {message}")]
    Undescribed {
        /// Service or file.
        what: String,
        /// What the server said.
        message: String,
    },
    /// The server answered what was not asked, or no descriptors.
    #[error("the server's reflection answered {what} with what is no answer to it")]
    Garbage {
        /// The question.
        what: String,
    },
    /// One file name, two contents.
    #[error("the server's reflection has two different files named {0}; give the contract as an image instead")]
    TwoContents(String),
    /// More than an image may have.
    #[error("the server's reflection lists more than {limit} {what}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much is taken.
        limit: usize,
    },
}

/// Asks the server behind `channel` for all its services and returns their files, with all imports, as the bytes of a
/// `FileDescriptorSet`. Health and reflection are left out. Gives up after `deadline`.
pub async fn reflect(channel: Channel, deadline: Duration) -> Result<Bytes, ReflectError> {
    either(channel, deadline, |mut conversation| async move {
        let services = conversation.services().await?;
        read(&mut conversation, services).await
    })
    .await
}

/// As [`reflect`], for one service by its full name.
pub async fn reflect_service(channel: Channel, service: &str, deadline: Duration) -> Result<Bytes, ReflectError> {
    either(channel, deadline, |mut conversation| async move {
        // The list is the first answer, whatever it says; only that there is no reflection matters here.
        if let Err(error @ ReflectError::Call(_)) = conversation.services().await {
            return Err(error);
        }
        read(&mut conversation, vec![service.to_owned()]).await
    })
    .await
}

/// Full names of the services of the server behind `channel`, without health and reflection.
pub async fn reflect_names(channel: Channel, deadline: Duration) -> Result<Vec<String>, ReflectError> {
    either(channel, deadline, |mut conversation| async move { conversation.services().await }).await
}

async fn either<T, Asking>(channel: Channel, deadline: Duration, ask: impl Fn(Conversation) -> Asking) -> Result<T, ReflectError>
where
    Asking: Future<Output = Result<T, ReflectError>>,
{
    let at = async |path| ask(Conversation::open(channel.clone(), path).await?).await;
    let is_missing = |error: &ReflectError| matches!(error, ReflectError::Call(status) if status.code() == Code::Unimplemented);
    let asking = async {
        match at(V1).await {
            Err(error) if is_missing(&error) => at(V1ALPHA).await,
            outcome => outcome,
        }
    };
    match tokio::time::timeout(deadline, asking).await {
        Ok(Err(error)) if is_missing(&error) => Err(ReflectError::NotOffered),
        Ok(outcome) => outcome,
        Err(_) => Err(ReflectError::Deadline(deadline)),
    }
}

async fn read(conversation: &mut Conversation, services: Vec<String>) -> Result<Bytes, ReflectError> {
    let mut files = Files::default();
    for service in services {
        files.take(conversation.files(MessageRequest::FileContainingSymbol(service.clone()), &service).await?)?;
    }
    // Servers may send just the file asked for, or its imports too.
    while let Some(import) = files.missing() {
        let found = conversation.files(MessageRequest::FileByFilename(import.clone()), &import).await?;
        files.take(found)?;
        if !files.has(&import) {
            return Err(ReflectError::Garbage { what: import });
        }
    }
    Ok(files.encoded())
}

/// One reflection stream: a question, an answer, and so on.
struct Conversation {
    questions: mpsc::Sender<ServerReflectionRequest>,
    answers: Streaming<ServerReflectionResponse>,
}

impl Conversation {
    async fn open(channel: Channel, path: &'static str) -> Result<Self, ReflectError> {
        // Some servers (grpcio with compression on) compress whatever they answer.
        let client = tonic::client::Grpc::new(channel).accept_compressed(CompressionEncoding::Gzip);
        let mut client = client.max_decoding_message_size(MAX_IMAGE_BYTES);
        client.ready().await.map_err(|error| failed(Status::from_error(error.into())))?;
        // Several servers send no headers before the first question, so it must be under way when the stream opens.
        let (questions, outgoing) = mpsc::channel(1);
        let first = question(MessageRequest::ListServices(String::new()));
        questions.try_send(first).map_err(|_| failed(Status::internal("the reflection stream is closed")))?;
        let codec = ProstCodec::<ServerReflectionRequest, ServerReflectionResponse>::default();
        let request = Request::new(ReceiverStream::new(outgoing));
        let response = client.streaming(request, PathAndQuery::from_static(path), codec).await.map_err(failed)?;
        Ok(Self { questions, answers: response.into_inner() })
    }

    /// The answer to the question that [`Self::open`] asked.
    async fn services(&mut self) -> Result<Vec<String>, ReflectError> {
        let MessageResponse::ListServicesResponse(list) = self.answer("the list of services").await? else {
            return Err(ReflectError::Garbage { what: "the list of services".to_owned() });
        };
        let names = list.service.into_iter().map(|service| service.name);
        let services: Vec<_> = names.filter(|name| !SKIPPED.contains(&name.as_str())).collect();
        match services.len() {
            0 => Err(ReflectError::NoService),
            found if found > MAX_SERVICES => Err(ReflectError::TooMuch { what: "services", limit: MAX_SERVICES }),
            _ => Ok(services),
        }
    }

    async fn files(&mut self, asked: MessageRequest, what: &str) -> Result<Vec<Vec<u8>>, ReflectError> {
        // A closed stream shows in the answer, with its status.
        let _ = self.questions.send(question(asked)).await;
        match self.answer(what).await? {
            MessageResponse::FileDescriptorResponse(files) => Ok(files.file_descriptor_proto),
            _ => Err(ReflectError::Garbage { what: what.to_owned() }),
        }
    }

    async fn answer(&mut self, what: &str) -> Result<MessageResponse, ReflectError> {
        let answer = self.answers.message().await.map_err(failed)?;
        match answer.and_then(|answer| answer.message_response) {
            Some(MessageResponse::ErrorResponse(error)) => {
                Err(ReflectError::Undescribed { what: what.to_owned(), message: error.error_message })
            }
            Some(answer) => Ok(answer),
            None => Err(ReflectError::Garbage { what: what.to_owned() }),
        }
    }
}

/// The files read so far.
#[derive(Default)]
struct Files {
    by_name: BTreeMap<String, Bytes>,
    wanted: Vec<String>,
    bytes: usize,
}

/// A `FileDescriptorProto`, as far as its imports.
#[derive(Clone, PartialEq, Message)]
struct Heading {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, repeated, tag = "3")]
    imports: Vec<String>,
}

/// A `FileDescriptorSet` of files as they came.
#[derive(Clone, PartialEq, Message)]
struct Set {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    file: Vec<Bytes>,
}

impl Files {
    fn take(&mut self, files: Vec<Vec<u8>>) -> Result<(), ReflectError> {
        for file in files {
            let heading = Heading::decode(file.as_slice())
                .map_err(|_| ReflectError::Garbage { what: "the question for a file".to_owned() })?;
            match self.by_name.get(&heading.name) {
                Some(known) if known == &file => continue,
                Some(_) => return Err(ReflectError::TwoContents(heading.name)),
                None => {}
            }
            self.bytes += file.len();
            if self.bytes > MAX_IMAGE_BYTES {
                return Err(ReflectError::TooMuch { what: "bytes of descriptors", limit: MAX_IMAGE_BYTES });
            }
            if self.by_name.len() == MAX_FILES {
                return Err(ReflectError::TooMuch { what: "files", limit: MAX_FILES });
            }
            self.wanted.extend(heading.imports);
            self.by_name.insert(heading.name, file.into());
        }
        Ok(())
    }

    /// A file that is imported and was not sent.
    fn missing(&mut self) -> Option<String> {
        while let Some(import) = self.wanted.pop() {
            if !self.has(&import) {
                return Some(import);
            }
        }
        None
    }

    fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn encoded(self) -> Bytes {
        Set { file: self.by_name.into_values().collect() }.encode_to_vec().into()
    }
}

fn question(asked: MessageRequest) -> ServerReflectionRequest {
    ServerReflectionRequest { host: String::new(), message_request: Some(asked) }
}

fn failed(status: Status) -> ReflectError {
    ReflectError::Call(Box::new(status))
}

/// Says whether the server was reached at all, and all reasons that are known.
fn described(status: &Status) -> String {
    let mut reasons = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    let mut reached = true;
    while let Some(error) = source {
        reached &= !error.is::<tonic::transport::Error>();
        let reason = error.to_string();
        if !error.is::<tonic::transport::Error>() && !reasons.contains(&reason) {
            reasons = format!("{reasons}: {reason}");
        }
        source = error.source();
    }
    if reached {
        format!("reflection failed ({:?}): {reasons}", status.code())
    } else {
        format!("the server cannot be reached: {reasons}")
    }
}
