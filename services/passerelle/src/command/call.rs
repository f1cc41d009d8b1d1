//! `passerelle call`: one call to any method, JSON in and JSON out, through a running bus.

mod method;
mod request;
mod skeleton;
mod status;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use passerelle_bus::contract::{Image, ReflectError, reflect_names, reflect_service};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions};
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{AsciiMetadataKey, BinaryMetadataKey, BinaryMetadataValue, MetadataMap};
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use self::request::{Fault, Json};
use super::connect::{self, Tls};
use crate::dynamic::DynamicCodec;
use crate::explain::Code;
use crate::failure::Failure;

/// Time for the bus to describe its methods.
const REFLECTION: Duration = Duration::from_secs(10);
/// Time beyond the deadline in which the server's own word on it may still arrive.
const GRACE: Duration = Duration::from_millis(250);
/// Bytes of one message that are taken.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// A call to make.
#[derive(Debug, Args)]
#[command(
    about = "Calls a method through a running bus: JSON in, JSON out",
    after_help = "Examples:\n  \
        passerelle call InquireAccounts --json '{\"customerId\": \"0000004711\"}'\n  \
        passerelle call bank.v1.Accounts/Watch --json @request.json --deadline-ms 2000\n  \
        tail -f events.ndjson | passerelle call Ingest --json -      streams each value as it comes\n  \
        passerelle call --show                                       what can be called\n  \
        passerelle call InquireAccounts --show                       how to ask it\n\n\
        Answers go to standard output, one JSON value each; an error's status to standard error.\n\
        Exit codes: 0 answered, 1 the call failed, 2 wrong arguments or JSON that does not fit (nothing was sent)."
)]
pub struct Call {
    /// package.Service/Method, or an end of it that only one method has
    #[arg(required_unless_present = "show")]
    pub method: Option<String>,
    /// The request: JSON, @FILE, or - for standard input; several values one after another for a stream of requests
    #[arg(long, short = 'j', value_name = "JSON", allow_hyphen_values = true)]
    pub json: Option<String>,
    /// The bus, or any gRPC server with reflection
    #[arg(long, short = 'a', value_name = "URL", env = "PASSERELLE_ADDRESS", default_value = "http://127.0.0.1:7400")]
    pub address: String,
    /// Metadata to send, may be given several times; the value of a key that ends in -bin is sent as bytes
    #[arg(long, short = 'm', value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub metadata: Vec<(String, String)>,
    /// How long the call may take, in milliseconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=99_999_999))]
    pub deadline_ms: Option<u64>,
    /// Shows what can be called, or how to ask METHOD, instead of calling
    #[arg(long, conflicts_with = "json")]
    pub show: bool,
    #[command(flatten)]
    pub tls: Tls,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.trim().to_ascii_lowercase(), value.to_owned()))
}

/// Makes the call and prints what is answered.
pub(crate) async fn run(call: &Call) -> Result<(), Failure> {
    let metadata = metadata(&call.metadata).map_err(Failure::usage)?;
    let channel = connect::channel(&call.address, &call.tls)?;
    let wanted = call.method.as_deref().unwrap_or_default();
    let candidates = candidates(&channel, &call.address, wanted).await?;
    if call.show && wanted.is_empty() {
        return print(&method::listed(&candidates));
    }
    let method = method::find(&candidates, wanted).map_err(|error| Failure::usage_with(Code::METHOD_UNKNOWN, error))?;
    if call.show {
        return print(&skeleton::shown(&method));
    }
    let json = Json::new(call.json.as_deref(), &method)?;
    let deadline = call.deadline_ms.map(Duration::from_millis);
    let (messages, fault) = json.messages()?;
    let mut request = Request::new(messages);
    *request.metadata_mut() = metadata;
    if let Some(deadline) = deadline {
        request.set_timeout(deadline);
    }
    let calling = exchange(channel, &method, request, fault);
    let outcome = match deadline {
        None => calling.await,
        Some(deadline) => tokio::time::timeout(deadline + GRACE, calling).await.unwrap_or(Err(Broken::Deadline)),
    };
    outcome.map_err(|broken| broken.explained(method.parent_pool(), call))
}

/// All methods that `wanted` may mean: those of the service that it names, else of all.
async fn candidates(channel: &Channel, address: &str, wanted: &str) -> Result<Vec<MethodDescriptor>, Failure> {
    let failed = |error: ReflectError| match &error {
        ReflectError::Call(status) if connect::is_unreachable(status) => {
            connect::unreachable("server", address, status, Code::REFLECTION_FAILED)
        }
        _ => Failure::new(Code::REFLECTION_FAILED, format!("{address}: {error}")),
    };
    let mut services = reflect_names(channel.clone(), REFLECTION).await.or_else(|error| match error {
        // A server may offer nothing but health, and that can be called too.
        ReflectError::NoService => Ok(Vec::new()),
        error => Err(failed(error)),
    })?;
    services.extend(method::BUILT_IN.map(str::to_owned).into_iter().filter(|service| method::may_mean(wanted, service)));
    if wanted.contains('/') {
        services.retain(|service| method::may_mean(wanted, service));
    }
    let mut methods = Vec::new();
    for service in services {
        let bytes = match reflect_service(channel.clone(), &service, REFLECTION).await {
            Err(ReflectError::Undescribed { .. }) if method::BUILT_IN.contains(&service.as_str()) => continue,
            other => other.map_err(failed)?,
        };
        let image = Image::decode(bytes).map_err(|error| Failure::new(Code::REFLECTION_FAILED, format!("{service}: {error}")))?;
        methods
            .extend(image.pool().get_service_by_name(&service).iter().flat_map(|service| service.methods().collect::<Vec<_>>()));
    }
    Ok(methods)
}

fn metadata(pairs: &[(String, String)]) -> Result<MetadataMap, String> {
    let mut metadata = MetadataMap::new();
    for (key, value) in pairs {
        if key.starts_with("grpc-") {
            return Err(format!(
                "metadata {key}: keys that begin with grpc- belong to gRPC itself (for a deadline: --deadline-ms)"
            ));
        }
        let refused = |what: &str| format!("metadata {key}: {what}");
        if key.ends_with("-bin") {
            let key = BinaryMetadataKey::from_bytes(key.as_bytes()).map_err(|_| refused("this is no metadata key"))?;
            metadata.append_bin(key, BinaryMetadataValue::from_bytes(value.as_bytes()));
        } else {
            let key = AsciiMetadataKey::from_bytes(key.as_bytes()).map_err(|_| refused("this is no metadata key"))?;
            let value =
                value.parse().map_err(|_| refused("the value must be printable ASCII; end the key in -bin to send bytes"))?;
            metadata.append(key, value);
        }
    }
    Ok(metadata)
}

/// Why a call that was begun did not end well.
enum Broken {
    Deadline,
    Refused(Box<Status>),
    Input(Failure),
    Output(Failure),
}

impl Broken {
    fn explained(self, pool: &DescriptorPool, call: &Call) -> Failure {
        let late = || Failure::plain(format!("DEADLINE_EXCEEDED: no answer within {} ms", call.deadline_ms.unwrap_or_default()));
        match self {
            Self::Deadline => late(),
            // What the client library says when the deadline passes on this side.
            Self::Refused(status) if status.code() == tonic::Code::Cancelled && call.deadline_ms.is_some() => late(),
            Self::Refused(status) => Failure::plain(status::text(&status, pool)),
            Self::Input(failure) | Self::Output(failure) => failure,
        }
    }
}

async fn exchange(
    channel: Channel,
    method: &MethodDescriptor,
    request: Request<ReceiverStream<DynamicMessage>>,
    fault: Fault,
) -> Result<(), Broken> {
    let refused = |status: Status| Broken::Refused(Box::new(status));
    let client = tonic::client::Grpc::new(channel).accept_compressed(CompressionEncoding::Gzip);
    let mut client = client.max_decoding_message_size(MAX_MESSAGE_BYTES);
    client.ready().await.map_err(|error| refused(Status::from_error(error.into())))?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = path.parse().map_err(|_| refused(Status::internal("the method's name cannot be a path")))?;
    let codec = DynamicCodec::new(method.output());
    let answering = async {
        // On the wire, unary is a stream of one.
        let response = client.streaming(request, path, codec).await.map_err(refused)?;
        print_answers(response.into_inner()).await
    };
    tokio::select! {
        biased;
        failure = fault.came() => Err(Broken::Input(failure)),
        outcome = answering => outcome,
    }
}

async fn print_answers(mut answers: Streaming<DynamicMessage>) -> Result<(), Broken> {
    while let Some(answer) = answers.message().await.map_err(|status| Broken::Refused(Box::new(status)))? {
        let text = json(&answer).map_err(Broken::Output)?;
        print(&format!("{text}\n")).map_err(Broken::Output)?;
    }
    Ok(())
}

/// A message as JSON: over several lines for people, on one for programs.
fn json(message: &DynamicMessage) -> Result<String, Failure> {
    let refused = |error: serde_json::Error| Failure::plain(format!("the answer has no JSON form: {error}"));
    let mut text = Vec::new();
    let options = SerializeOptions::new();
    if io::stdout().is_terminal() {
        message.serialize_with_options(&mut serde_json::Serializer::pretty(&mut text), &options).map_err(refused)?;
    } else {
        message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options).map_err(refused)?;
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // Whoever read along has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        outcome => outcome.map_err(Failure::plain),
    }
}
