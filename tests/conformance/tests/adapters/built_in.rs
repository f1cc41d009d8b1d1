//! The kinds that are built into the bus, as subjects of the kit.

use std::any::Any;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use adapter_callback::Callback;
use adapter_crm::Crm;
use adapter_documents::Documents;
use adapter_files::Files;
use adapter_mainframe::{Double, Mainframe};
use bytes::Bytes;
use passerelle_adapter::{Call, Context, Kind, Messages, Opening};
use passerelle_kit::{InProcess, Log, SubjectFile};
use passerelle_proto::backoffice::documents::v1::{self as documents, store_request::What};
use prost::Message;

use super::subject::NoSecrets;

/// A subject, and what must live as long as it.
pub(crate) struct Place {
    pub(crate) subject: InProcess,
    pub(crate) _kept: Box<dyn Any + Send>,
}

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample/accounts");

/// What the host double answers besides the sample: one customer slowly.
const SLOW: &str =
    "    - { match: { customerId: \"0000004713\" }, latency_ms: 1000, echo: [customerId], reply: { customerName: LENT } }\n";

const MAINFRAME: &str = r#"
behind: "ADDRESS"
calls:
  - { method: bank.accounts.v1.AccountInquiry/InquireAccounts, request: { customerId: "0000004711" }, answer: { balance: "-1234.56", customerName: DUPONT CHLOÉ } }
  - { method: bank.accounts.v1.AccountInquiry/InquireAccounts, request: { customerId: "0000004712" }, answer: { balance: "8250.00", customerName: GARCIA HUGO } }
refusals:
  - { method: bank.accounts.v1.AccountInquiry/InquireAccounts, request: { customerId: "0000000404" }, fault: not_found }
slow: { method: bank.accounts.v1.AccountInquiry/InquireAccounts, request: { customerId: "0000004713" }, takes_ms: 1000 }
markers: [DUPONT, FR760000001]
"#;

/// The sample's mainframe, played by its double.
pub(crate) async fn mainframe() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["ACCTINQ.cpy", "accounts.lock.yaml", "mainframe.yaml"] {
        std::fs::copy(Path::new(SAMPLE).join(name), folder.path().join(name)).expect("it is copied");
    }
    let double = std::fs::read_to_string(Path::new(SAMPLE).join("double.yaml")).expect("the sample");
    let double = double.replace(
        "    - match: { customerId: \"0000004799\" }\n",
        &format!("{SLOW}    - match: {{ customerId: \"0000004799\" }}\n"),
    );
    std::fs::write(folder.path().join("double.yaml"), double).expect("it is written");
    let double = Double::bind("127.0.0.1:0", &folder.path().join("double.yaml"), &NoSecrets).await.expect("a double");
    let address = double.local_addr().to_string();
    let path = folder.path().join("mainframe.yaml");
    let settings = std::fs::read_to_string(&path).expect("the sample").replace("127.0.0.1:24711", &address);
    let subject = subject(&settings, &MAINFRAME.replace("ADDRESS", &address));
    let subject = InProcess { kind: Arc::new(Mainframe), path, secrets: Arc::new(NoSecrets), log: Some(log()), subject };
    Place { subject, _kept: Box::new((folder, double)) }
}

const FOLDER: &str = r#"
calls:
  - { method: passerelle.backoffice.documents.v1.Documents/Get, request: { reference: { folder: kit, name: a } }, answer: { document: { reference: { name: a } } } }
  - { method: passerelle.backoffice.documents.v1.Documents/Get, request: { reference: { folder: kit, name: b } }, answer: { document: { reference: { name: b } } } }
  - { method: passerelle.backoffice.documents.v1.Documents/List, request: { folder: kit } }
refusals:
  - { method: passerelle.backoffice.documents.v1.Documents/Get, request: { reference: { folder: kit, name: none } }, fault: not_found }
  - { method: passerelle.backoffice.documents.v1.Documents/Get, fault: invalid }
stream: { method: passerelle.backoffice.documents.v1.Documents/Read, request: { reference: { folder: kit, name: a } }, messages: MESSAGES }
markers: [confidential]
"#;

/// A folder with two documents.
pub(crate) async fn folder() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("documents.yaml");
    let settings = "adapter: documents\ndriver: folder\nfolder: { path: documents }\n";
    let opening =
        Opening { endpoint: "ged".to_owned(), path: path.clone(), text: settings.to_owned(), secrets: Arc::new(NoSecrets) };
    let adapter = Documents.open(opening).await.expect("it opens");
    let call = async |method: &str, messages: Vec<Bytes>| {
        let method = format!("passerelle.backoffice.documents.v1.Documents/{method}");
        let messages = Messages::many(tokio_stream::iter(messages.into_iter().map(Ok)));
        let mut answer = adapter.call(Call { method, messages, context: Context::default() }).await.expect("an answer");
        let mut count = 0;
        while let Some(message) = answer.next().await {
            message.expect("a message");
            count += 1;
        }
        count
    };
    let reference = |name: &str| Some(documents::Reference { folder: "kit".to_owned(), name: name.to_owned() });
    let said = |what| Bytes::from(documents::StoreRequest { what: Some(what) }.encode_to_vec());
    for name in ["a", "b"] {
        let start = documents::Start { reference: reference(name), ..Default::default() };
        let chunks = (0..8).map(|_| said(What::Chunk(b"confidential ".repeat(4_000).into())));
        call("Store", std::iter::once(said(What::Start(start))).chain(chunks).collect()).await;
    }
    let read = documents::ReadRequest { reference: reference("a"), version: String::new() };
    let messages: usize = call("Read", vec![read.encode_to_vec().into()]).await;
    let subject = subject(settings, &FOLDER.replace("MESSAGES", &messages.to_string()));
    let subject = InProcess { kind: Arc::new(Documents), path, secrets: Arc::new(NoSecrets), log: Some(log()), subject };
    Place { subject, _kept: Box::new(folder) }
}

const CUSTOMERS: &str = r#"
calls:
  - { method: passerelle.backoffice.customers.v1.Customers/Find, request: { name: confidential } }
  - { method: passerelle.backoffice.customers.v1.Customers/Describe }
refusals:
  - { method: passerelle.backoffice.customers.v1.Customers/Get, request: { id: none }, fault: not_found }
  - { method: passerelle.backoffice.customers.v1.Customers/Create, fault: invalid }
effect:
  method: passerelle.backoffice.customers.v1.Customers/Create
  request: { details: { name: "confidential {unique}" } }
  proof: { method: passerelle.backoffice.customers.v1.Customers/Find, request: { name: confidential, page_size: 1000 }, path: customers }
markers: [confidential]
"#;

/// A file of customers, at first of none.
pub(crate) async fn customers() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("crm.yaml");
    let subject = subject("adapter: crm\ndriver: embedded\nembedded: { path: customers.sqlite }\n", CUSTOMERS);
    let subject = InProcess { kind: Arc::new(Crm), path, secrets: Arc::new(NoSecrets), log: Some(log()), subject };
    Place { subject, _kept: Box::new(folder) }
}

/// An adviser's desk: streams both ways only, so that what is derived from the contract is all that is asked.
pub(crate) async fn desk() -> Place {
    let subject = subject("adapter: callback\ndriver: desk\n", "");
    let subject =
        InProcess { kind: Arc::new(Callback), path: "desk.yaml".into(), secrets: Arc::new(NoSecrets), log: Some(log()), subject };
    Place { subject, _kept: Box::new(()) }
}

/// A drop folder: no method, so that what is derived from the contract is all that is asked.
pub(crate) async fn drop_folder() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("incoming")).expect("it is made");
    let subject = subject("adapter: files\nfolder: incoming\n", "");
    let path = folder.path().join("files.yaml");
    let subject = InProcess { kind: Arc::new(Files), path, secrets: Arc::new(NoSecrets), log: Some(log()), subject };
    Place { subject, _kept: Box::new(folder) }
}

/// A subject file of an adapter's own file and examples.
fn subject(settings: &str, examples: &str) -> SubjectFile {
    let settings: String = settings.lines().map(|line| format!("  {line}\n")).collect();
    SubjectFile::parse(Path::new("conformance.yaml"), &format!("settings:\n{settings}{examples}")).expect("a subject file")
}

/// All that adapters of this process have logged, down to the last detail.
fn log() -> Log {
    static WRITTEN: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    let written = WRITTEN.get_or_init(|| {
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let writer = Arc::clone(&written);
        let filter = "adapter_mainframe=trace,adapter_documents=trace,adapter_callback=trace,adapter_crm=trace";
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || Writer(Arc::clone(&writer)));
        subscriber.with_ansi(false).init();
        written
    });
    Arc::new(|| String::from_utf8_lossy(&written.lock().expect("no panic")).into_owned())
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
