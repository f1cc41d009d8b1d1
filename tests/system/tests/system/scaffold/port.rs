//! The adapter port spoken by hand, message by message, to an adapter in a process of its own.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use passerelle_peers::process::Process;
use passerelle_proto::adapter::v1::adapter_client::AdapterClient;
use passerelle_proto::adapter::v1::call_request::What as Said;
use passerelle_proto::adapter::v1::call_response::What as Told;
use passerelle_proto::adapter::v1::fault::Class;
use passerelle_proto::adapter::v1::{
    CallRequest, CallResponse, ConfigureRequest, ConfigureResponse, Credit, Fault, Rejection, Start,
};
use prost::Message;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status, Streaming};

/// What is waited for at most before it is called a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running adapter.
pub(super) struct Adapter {
    process: Process,
    pub(super) client: AdapterClient<Channel>,
}

impl Adapter {
    /// Starts the program, which takes the endpoint as its last argument.
    pub(super) async fn start(command: &mut Command) -> Self {
        let process = Process::spawn("adapter", command.arg("http://127.0.0.1:0"));
        let client = AdapterClient::connect(process.line_after("ready: ")).await.unwrap();
        Self { process, client }
    }

    pub(super) async fn configure(&self, settings: &str) -> Result<ConfigureResponse, Status> {
        let request = ConfigureRequest { endpoint: "tests".to_owned(), settings: settings.to_owned() };
        self.client.clone().configure(request).await.map(Response::into_inner)
    }

    /// Begins a call.
    pub(super) fn call(&self, start: Start) -> Talk {
        self.call_within(start, Duration::ZERO)
    }

    /// Begins a call with a deadline; zero is none.
    pub(super) fn call_within(&self, start: Start, deadline: Duration) -> Talk {
        let talk = self.talk(deadline);
        talk.say(Said::Start(start));
        talk
    }

    /// Opens a stream on which nothing is said yet.
    pub(super) fn talk(&self, deadline: Duration) -> Talk {
        let (sender, requests) = mpsc::unbounded_channel();
        let mut request = Request::new(UnboundedReceiverStream::new(requests));
        if !deadline.is_zero() {
            // Not `set_timeout`, by which the client itself would end the call.
            request.metadata_mut().insert("grpc-timeout", format!("{}m", deadline.as_millis()).parse().unwrap());
        }
        let mut client = self.client.clone();
        Talk { sender: Some(sender), opening: Some(tokio::spawn(async move { client.call(request).await })), answer: None }
    }

    /// One message, and what comes of it.
    pub(super) async fn ask(&self, method: &str, key: &str, message: &impl Message) -> Ended {
        let start = Start { idempotency_key: key.to_owned(), ..begin(method, message) };
        self.call(start).finish().end().await
    }

    /// SIGTERM.
    pub(super) fn terminate(&self) {
        self.process.terminate();
    }

    pub(super) fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    pub(super) fn log(&self) -> String {
        self.process.log()
    }
}

/// The program of an adapter that lies in a folder.
pub(super) fn program(folder: &Path, python: &Path) -> Command {
    let mut command = Command::new(folder.join("run"));
    command.env("PYTHON", python).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A call that begins with its message.
pub(super) fn begin(method: &str, message: &impl Message) -> Start {
    Start { method: method.to_owned(), credits: 100, message: Some(message.encode_to_vec().into()), ..Start::default() }
}

/// A call, message by message.
pub(super) struct Talk {
    sender: Option<mpsc::UnboundedSender<CallRequest>>,
    opening: Option<JoinHandle<Result<Response<Streaming<CallResponse>>, Status>>>,
    answer: Option<Streaming<CallResponse>>,
}

/// How a call ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) credits: u32,
    /// `None` for its end.
    pub(super) fault: Option<Fault>,
}

impl Talk {
    pub(super) fn say(&self, what: Said) {
        // Who has ended the call does not listen any more.
        let _ = self.sender.as_ref().unwrap().send(CallRequest { what: Some(what) });
    }

    pub(super) fn message(&self, message: &impl Message) {
        self.say(Said::Message(message.encode_to_vec().into()));
    }

    pub(super) fn credit(&self, messages: u32) {
        self.say(Said::Credit(Credit { messages }));
    }

    /// Closes the bus's side.
    pub(super) fn finish(mut self) -> Self {
        self.sender = None;
        self
    }

    /// What comes next; `None` when the adapter closed its side.
    pub(super) async fn next(&mut self) -> Result<Option<Told>, Status> {
        let next = async {
            if let Some(opening) = &mut self.opening {
                self.answer = Some(opening.await.unwrap()?.into_inner());
                self.opening = None;
            }
            let answer = self.answer.as_mut().unwrap().message().await?;
            Ok(answer.map(|response| response.what.expect("it says something")))
        };
        tokio::time::timeout(PATIENCE, next).await.expect("something, before patience ends")
    }

    /// The next message; credits are passed over.
    pub(super) async fn next_message(&mut self) -> Vec<u8> {
        loop {
            match self.next().await.unwrap().expect("the answer goes on") {
                Told::Message(message) => return message.to_vec(),
                Told::Credit(_) => {}
                other => panic!("no message: {other:?}"),
            }
        }
    }

    /// Whether nothing comes for a while.
    pub(super) async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(300), self.next()).await.is_err()
    }

    /// All that comes, with what ends it; the stream then closes.
    pub(super) async fn end(self) -> Ended {
        self.ended().await.unwrap()
    }

    /// The status that it is cut off with.
    pub(super) async fn cut_off(self) -> Code {
        self.ended().await.expect_err("it is cut off").code()
    }

    async fn ended(mut self) -> Result<Ended, Status> {
        let mut ended = Ended { messages: Vec::new(), credits: 0, fault: None };
        loop {
            match self.next().await?.expect("an end, or a fault") {
                Told::Message(message) => ended.messages.push(message.to_vec()),
                Told::Credit(credit) => ended.credits += credit.messages,
                Told::End(_) => break,
                Told::Fault(fault) => {
                    ended.fault = Some(fault);
                    break;
                }
            }
        }
        assert!(self.next().await?.is_none(), "something comes after the end");
        Ok(ended)
    }
}

impl Drop for Talk {
    /// Cancels the call, also one that has not been answered at all.
    fn drop(&mut self) {
        if let Some(opening) = self.opening.take() {
            opening.abort();
        }
    }
}

impl Ended {
    /// The one message of an answer.
    pub(super) fn one<M: Message + Default>(&self) -> M {
        assert!(self.fault.is_none() && self.messages.len() == 1, "{self:?}");
        M::decode(self.messages[0].as_slice()).unwrap()
    }

    /// The class of the fault, with the sort of a refusal; empty when there is none.
    pub(super) fn class(&self) -> &'static str {
        match self.fault.as_ref().map(|fault| fault.class.as_ref().expect("a fault has a class")) {
            None => "",
            Some(Class::Rejected(sort)) => Rejection::try_from(*sort).unwrap().as_str_name(),
            Some(Class::Throttled(_)) => "THROTTLED",
            Some(Class::Unavailable(_)) => "UNAVAILABLE",
            Some(Class::Unauthenticated(_)) => "UNAUTHENTICATED",
            Some(Class::DeadlineExceeded(_)) => "DEADLINE_EXCEEDED",
            Some(Class::Unknown(_)) => "UNKNOWN",
            Some(Class::Unimplemented(_)) => "UNIMPLEMENTED",
        }
    }

    /// What the fault says.
    pub(super) fn words(&self) -> &str {
        self.fault.as_ref().map_or("", |fault| &fault.message)
    }
}
