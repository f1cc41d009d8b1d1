//! Documents of a folder and of a WebDAV server, streamed up and down through bus and adapter as any gRPC client does it.

use std::time::Duration;

use passerelle_peers::Webdav;
use passerelle_peers::webdav::{PASSWORD, USER};
use passerelle_proto::backoffice::documents::v1::documents_client::DocumentsClient;
use passerelle_proto::backoffice::documents::v1::store_request::What;
use passerelle_proto::backoffice::documents::v1::{
    DeleteRequest, DescribeRequest, Document, GetRequest, ListChangesRequest, ListRequest, ReadRequest, Reference, Start,
    StoreRequest, read_response,
};
use passerelle_system::{Daemon, World, program};
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

const MEBIBYTE: usize = 1 << 20;
const LARGE: usize = 20 * MEBIBYTE;
const LIMIT: usize = 24 * MEBIBYTE;

/// A daemon with one store of documents, and a client of its channels' port.
struct Ged {
    daemon: Daemon,
    client: DocumentsClient<Channel>,
}

impl Ged {
    async fn open(driver: &str) -> Self {
        let world = World::default()
            .file("secrets/user", USER)
            .file("secrets/password", PASSWORD)
            .file("ged.yaml", &format!("adapter: documents\nlimits: {{ document_bytes: {LIMIT} }}\n{driver}"))
            .settings("endpoints:\n  ged: { adapter: documents, file: ged.yaml }\n");
        let daemon = world.serve();
        Self::of(daemon).await
    }

    async fn folder() -> Self {
        Self::open("driver: folder\nfolder: { path: documents }\n").await
    }

    async fn webdav(server: &Webdav) -> Self {
        let credentials = "credentials: { user: \"${file:secrets/user}\", password: \"${file:secrets/password}\" }";
        Self::open(&format!("driver: webdav\nwebdav: {{ url: \"http://{}/\", {credentials} }}\n", server.address())).await
    }

    /// The same store in a process of its own, which the bus starts.
    async fn wire() -> Self {
        let settings =
            format!("adapter: documents, driver: folder, folder: {{ path: documents }}, limits: {{ document_bytes: {LIMIT} }}");
        let world = World::default()
            .file(
                "ged.yaml",
                &format!("adapter: remote\ncommand: [{}, adapter, serve, documents]\nsettings: {{ {settings} }}\n", program()),
            )
            .settings("endpoints:\n  ged: { adapter: remote, file: ged.yaml }\n");
        let ged = Self::of(world.serve()).await;
        ged.routed().await;
        ged
    }

    async fn of(daemon: Daemon) -> Self {
        let client = DocumentsClient::connect(daemon.address()).await.unwrap().max_decoding_message_size(usize::MAX);
        Self { daemon, client }
    }

    /// Waits until the adapter is there: the bus starts without it.
    async fn routed(&self) {
        let asked = async {
            while let Err(status) = self.client.clone().describe(DescribeRequest {}).await {
                assert!([Code::Unimplemented, Code::Unavailable].contains(&status.code()), "{status:?}");
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asked).await.expect("the adapter comes");
    }

    /// Kills the adapter's process, as nobody asked for.
    fn kill_adapter(&self) {
        let log = self.daemon.log();
        let (_, pid) = log.rsplit_once("pid=").expect("the log tells the adapter's process");
        let pid: String = pid.chars().take_while(char::is_ascii_digit).collect();
        assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    }

    async fn store(&self, name: &str, pieces: usize, key: &str) -> Result<Document, Status> {
        let pieces = (0..pieces).map(|number| What::Chunk(vec![number as u8; MEBIBYTE / 4].into()));
        let messages: Vec<_> = std::iter::once(What::Start(start(name))).chain(pieces).map(message).collect();
        let mut request = Request::new(tokio_stream::iter(messages));
        request.metadata_mut().insert("idempotency-key", key.parse().unwrap());
        self.client.clone().store(request).await.map(|answer| answer.into_inner().document.unwrap())
    }

    async fn read(&self, name: &str) -> Result<(Document, usize), Status> {
        let request = ReadRequest { reference: Some(reference(name)), version: String::new() };
        let mut messages = self.client.clone().read(request).await?.into_inner();
        let (mut document, mut length) = (Document::default(), 0);
        while let Some(message) = messages.message().await? {
            match message.what.unwrap() {
                read_response::What::Document(described) => document = described,
                read_response::What::Chunk(chunk) => {
                    let right = chunk.iter().zip(length..).all(|(byte, at)| *byte == (at / (MEBIBYTE / 4)) as u8);
                    assert!(right, "other bytes near {length}");
                    length += chunk.len();
                }
            }
        }
        Ok((document, length))
    }

    async fn names(&self) -> Vec<String> {
        let request = ListRequest { folder: "C-4711".to_owned(), ..Default::default() };
        let list = self.client.clone().list(request).await.unwrap().into_inner();
        list.documents.into_iter().map(|document| document.reference.unwrap().name).collect()
    }
}

fn reference(name: &str) -> Reference {
    Reference { folder: "C-4711".to_owned(), name: name.to_owned() }
}

fn start(name: &str) -> Start {
    let metadata = [("customer".to_owned(), "4711".to_owned())].into();
    Start { reference: Some(reference(name)), media_type: "application/pdf".to_owned(), metadata, ..Default::default() }
}

fn message(what: What) -> StoreRequest {
    StoreRequest { what: Some(what) }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_in_a_folder_pass_through_the_bus_and_outlive_it() {
    let ged = Ged::folder().await;
    let stored = documents_pass(&ged).await;
    let changes = ged.client.clone().list_changes(ListChangesRequest::default()).await.unwrap().into_inner().changes;
    assert_eq!(changes.len(), 3, "stored, stored, deleted: {changes:?}");
    let daemon = ged.daemon.kill().serve();
    let client = DocumentsClient::connect(daemon.address()).await.unwrap();
    let again = Ged { daemon, client };
    assert_eq!(again.read("large é.pdf").await.unwrap(), (stored, LARGE));
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_on_wsgidav_pass_through_the_bus() {
    let Some(server) = Webdav::wsgidav() else { return };
    documents_pass(&Ged::webdav(&server).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_on_apache_pass_through_the_bus() {
    let Some(server) = Webdav::apache() else { return };
    let ged = Ged::webdav(&server).await;
    documents_pass(&ged).await;
    let status = ged.client.clone().list_changes(ListChangesRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "what the server cannot do is refused: {status:?}");
    drop(server);
    let status = ged.names_status().await;
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(!ged.daemon.log().contains(PASSWORD));
}

impl Ged {
    async fn names_status(&self) -> Status {
        self.client.clone().list(ListRequest::default()).await.unwrap_err()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_an_adapter_in_a_process_of_its_own_pass_through_the_bus_the_same() {
    let ged = Ged::wire().await;
    documents_pass(&ged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_killed_in_a_call_is_started_anew_and_half_a_document_is_never_seen() {
    let ged = Ged::wire().await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let mut client = ged.client.clone();
    let call = tokio::spawn(async move { client.store(tokio_stream::wrappers::ReceiverStream::new(receiver)).await });
    sender.send(message(What::Start(start("half")))).await.unwrap();
    for number in 0..8 {
        sender.send(message(What::Chunk(vec![number; MEBIBYTE / 4].into()))).await.unwrap();
    }
    ged.kill_adapter();
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unknown, "it may have had its effect: {status:?}");
    ged.routed().await;
    assert_eq!(ged.names().await, Vec::<String>::new());
    documents_pass(&ged).await;
}

/// Stores, reads, refuses, breaks off and removes; gives the document that stays.
async fn documents_pass(ged: &Ged) -> Document {
    let described = ged.client.clone().describe(DescribeRequest {}).await.unwrap().into_inner();
    assert_eq!(described.document_bytes_max, LIMIT as u64);
    let stored = ged.store("large é.pdf", LARGE / (MEBIBYTE / 4), "key 1").await.unwrap();
    assert_eq!(ged.store("large é.pdf", LARGE / (MEBIBYTE / 4), "key 1").await.unwrap(), stored, "the same key, the same answer");
    assert_eq!(ged.read("large é.pdf").await.unwrap(), (stored.clone(), LARGE));

    let status = ged.store("too large", LIMIT / (MEBIBYTE / 4) + 1, "key 2").await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert!(status.message().contains(&LIMIT.to_string()), "{status:?}");
    let mut expecting = start("large é.pdf");
    expecting.expect = Some(passerelle_proto::backoffice::documents::v1::start::Expect::Version("another".to_owned()));
    let status = ged.client.clone().store(tokio_stream::iter([message(What::Start(expecting))])).await.unwrap_err();
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
    let status = ged.client.clone().get(GetRequest { reference: Some(reference("..")), ..Default::default() }).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");

    // One who breaks off, and one who is too late.
    let beginning = || tokio_stream::iter([message(What::Start(start("half"))), message(What::Chunk(vec![1; MEBIBYTE].into()))]);
    let mut late = Request::new(beginning().chain(tokio_stream::pending()));
    late.set_timeout(Duration::from_millis(500));
    // Whichever clock comes first: the client's own says CANCELLED.
    let status = ged.client.clone().store(late).await.unwrap_err();
    assert!([Code::DeadlineExceeded, Code::Cancelled].contains(&status.code()), "{status:?}");
    let mut gone = ged.client.clone();
    let leaving = gone.store(beginning().chain(tokio_stream::pending()));
    assert!(tokio::time::timeout(Duration::from_millis(300), leaving).await.is_err());
    assert_eq!(ged.names().await, ["large é.pdf"]);

    ged.store("short", 1, "key 3").await.unwrap();
    assert_eq!(ged.names().await, ["large é.pdf", "short"]);
    let delete = DeleteRequest { reference: Some(reference("short")), version: String::new() };
    ged.client.clone().delete(delete.clone()).await.unwrap();
    assert_eq!(ged.client.clone().delete(delete).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ged.names().await, ["large é.pdf"]);
    stored
}
