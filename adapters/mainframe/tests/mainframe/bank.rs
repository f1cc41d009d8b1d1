//! A sample bank: a copybook, an integrator's file, sample answers, and an adapter opened on a double of its host.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adapter_mainframe::{Double, Mainframe, generate};
use passerelle_adapter::{
    Adapter, Call, Context, Fault, Kind, Messages, OpenError, Opening, Secret, SecretError, SecretRef, Secrets,
};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, SerializeOptions};
use serde_json::Value;

pub(crate) const COPYBOOK: &str = "
      * A customer's accounts, as the branches ask for them.
       01  ACCOUNTS-AREA.
           05  AA-FUNCTION          PIC X(4).
           05  AA-RETURN-CODE       PIC S9(4) COMP.
           05  AA-REASON            PIC X(3).
           05  AA-CUSTOMER          PIC 9(10).
           05  AA-NAME              PIC X(20).
           05  AA-BALANCE           PIC S9(11)V99 COMP-3.
           05  AA-RATE         PIC S9(3)V9(4) SIGN LEADING SEPARATE.
           05  AA-LIMIT             PIC S9(7)V99.
           05  AA-ACCOUNT-COUNT     PIC S9(4) COMP.
           05  AA-ACCOUNT OCCURS 0 TO 20 TIMES
                          DEPENDING ON AA-ACCOUNT-COUNT.
               10  AA-NUMBER        PIC X(8).
               10  AA-AMOUNT        PIC S9(9)V99 COMP-3.
               10  AA-TYPE          PIC X.
                   88  SAVINGS      VALUE 'S'.
                   88  CHECKING     VALUE 'C'.
";

/// The four ways to reach the host that the calls are tried on; `ADDRESS` stands for the double's address.
pub(crate) const HOSTS: [&str; 4] = [
    "{ transport: tcp, endpoints: [ADDRESS] }",
    "{ transport: tcp, endpoints: [ADDRESS], framing: { length_bytes: 2, length_includes_itself: false, header: trancode } }",
    "{ transport: ims_connect, endpoints: [ADDRESS], irm: { datastore: IMSP } }",
    "{ transport: ims_connect, endpoints: [ADDRESS], irm: { id: \"*SAMPLE*\", arch: 0, datastore: IMSP, sync_level: confirm },
       credentials: { user: \"${env:IMS_USER}\", password: \"${env:IMS_PASSWORD}\" } }",
];

/// The integrator's file.
pub(crate) fn accounts(host: &str, address: &str) -> String {
    let host = host.replace("ADDRESS", &format!("\"{address}\""));
    format!(
        r#"
adapter: mainframe
contract: {{ package: bank.accounts.v1, service: Accounts, lock: accounts.lock.yaml }}
hosts:
  paris: {host}
codec: {{ code_page: ibm1147 }}
operations:
  InquireAccounts:
    trancode: ACCTINQ
    request:  {{ copybook: accounts.cpy, strip_prefix: AA-, include: [AA-CUSTOMER], set: {{ AA-FUNCTION: INQ1 }} }}
    response: {{ copybook: accounts.cpy, strip_prefix: AA-, exclude: [AA-FUNCTION, AA-RETURN-CODE, AA-REASON] }}
    fields:
      AA-CUSTOMER: {{ as: string, name: customer_id }}
      AA-ACCOUNT: {{ name: accounts }}
      AA-TYPE: {{ enum: true, type: AccountType }}
    errors:
      - {{ when: "AA-RETURN-CODE == -8", status: INVALID_ARGUMENT, message: "the function is unknown" }}
      - {{ when: "AA-REASON in [\"NF \", \"GON\"]", status: NOT_FOUND, message: "no such customer" }}
      - {{ when: "AA-RETURN-CODE < 0 and AA-REASON != \"BSY\"", status: FAILED_PRECONDITION }}
      - {{ when: "AA-RETURN-CODE < 0", status: RESOURCE_EXHAUSTED, message: "the host is busy" }}
    timeout_ms: 30000
    idempotent: true
  CloseAccount:
    trancode: ACCTINQ
    request:  {{ copybook: accounts.cpy, strip_prefix: AA-, include: [AA-CUSTOMER], set: {{ AA-FUNCTION: CLO1 }} }}
    response: {{ copybook: accounts.cpy, strip_prefix: AA-, include: [AA-CUSTOMER, AA-BALANCE] }}
    timeout_ms: 1000
"#
    )
}

/// The double's file.
pub(crate) const ANSWERS: &str = r#"
file: accounts.yaml
answers:
  InquireAccounts:
    - match: { customerId: "0000123456" }
      echo: [customerId]
      reply:
        name: "DUPONT CHLOÉ"
        balance: "-12345.67"
        rate: "1.2500"
        limit: "-1500.00"
        accounts:
          - { number: "00123456", amount: "-99.75", type: ACCOUNT_TYPE_CHECKING }
          - { number: "00123457", amount: "0.50", type: ACCOUNT_TYPE_SAVINGS }
    - { match: { customerId: "0000000001" }, echo: [customerId], reply: { name: "WITHOUT ACCOUNTS" } }
    - { match: { customerId: "0000000008" }, set: { AA-RETURN-CODE: -8 } }
    - { match: { customerId: "0000000404" }, set: { AA-RETURN-CODE: -4, AA-REASON: "NF" } }
    - { match: { customerId: "0000000009" }, set: { AA-RETURN-CODE: -9, AA-REASON: "XYZ" } }
    - { match: { customerId: "0000000010" }, set: { AA-RETURN-CODE: -9, AA-REASON: "BSY" } }
    - { match: { customerId: "0000000666" }, abend: S0C7 }
    - { match: { customerId: "0000000667" }, close: true }
    - { match: { customerId: "0000000668" }, garbage: true }
    - { match: { customerId: "0000000669" }, latency_ms: 60000, reply: {} }
    - { echo: [customerId], reply: { name: "ANYBODY" } }
  CloseAccount:
    - { match: { customer: "1" }, latency_ms: 60000, reply: {} }
    - { match: { customer: "2" }, close: true }
    - { echo: [customer], reply: { balance: "7.00" } }
"#;

/// Secrets of the tests.
pub(crate) struct Wallet;

impl Secrets for Wallet {
    fn find(&self, reference: &SecretRef) -> Result<Secret, SecretError> {
        match reference {
            SecretRef::Env(name) if name == "IMS_USER" => Ok(Secret::new("BUS1")),
            SecretRef::Env(name) if name == "IMS_PASSWORD" => Ok(Secret::new("pAsS1")),
            SecretRef::Env(name) if name == "LONG" => Ok(Secret::new("much-too-long")),
            other => Err(SecretError(format!("{} is not set", String::from(other.clone())))),
        }
    }
}

/// A folder with the bank's files.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("accounts.cpy", COPYBOOK);
        folder.write("answers.yaml", ANSWERS);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Takes the folder's name out of a message.
    pub(crate) fn anonymous(&self, message: &str) -> String {
        message.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// The adapter of a file, whose lock is made first.
pub(crate) async fn open(path: &Path) -> Result<Arc<dyn Adapter>, OpenError> {
    let generated = generate(path).map_err(|error| OpenError(error.to_string()))?;
    std::fs::write(&generated.lock_path, &generated.lock_text).unwrap();
    open_locked(path).await
}

pub(crate) async fn open_locked(path: &Path) -> Result<Arc<dyn Adapter>, OpenError> {
    let text = std::fs::read_to_string(path).unwrap();
    let opening = Opening { endpoint: "accounts".into(), path: path.to_owned(), text, secrets: Arc::new(Wallet) };
    Mainframe.open(opening).await
}

/// An adapter opened on a double.
pub(crate) struct Bank {
    pub(crate) folder: Folder,
    pub(crate) double: Double,
    pub(crate) teller: Teller,
}

impl Bank {
    pub(crate) async fn open(host: &str) -> Self {
        let folder = Folder::new();
        let path = folder.write("accounts.yaml", &accounts(host, "127.0.0.1:1"));
        let double = Double::bind("127.0.0.1:0", &folder.path("answers.yaml"), &Wallet).await.unwrap();
        folder.write("accounts.yaml", &accounts(host, &double.local_addr().to_string()));
        let teller = Teller::new(open(&path).await.unwrap());
        Self { folder, double, teller }
    }
}

/// Calls an adapter with JSON, through the contract that it generated.
pub(crate) struct Teller {
    pub(crate) adapter: Arc<dyn Adapter>,
    contract: DescriptorPool,
}

impl Teller {
    pub(crate) fn new(adapter: Arc<dyn Adapter>) -> Self {
        let source = &adapter.descriptor().contracts[0].files[0];
        let file = protox::file::File::from_source(&source.path, &source.text).unwrap();
        let mut compiler = protox::Compiler::with_file_resolver(Resolver(source.path.clone(), file));
        compiler.open_file(&source.path).unwrap();
        let contract = DescriptorPool::from_file_descriptor_set(compiler.file_descriptor_set()).unwrap();
        Self { adapter, contract }
    }

    pub(crate) fn method(&self, name: &str) -> MethodDescriptor {
        let service = self.contract.get_service_by_name("bank.accounts.v1.Accounts").unwrap();
        service.methods().find(|method| method.name() == name).unwrap()
    }

    pub(crate) async fn call(&self, name: &str, request: Value) -> Result<Value, Fault> {
        self.call_within(name, request, None).await
    }

    pub(crate) async fn call_within(&self, name: &str, request: Value, time: Option<Duration>) -> Result<Value, Fault> {
        let method = self.method(name);
        let request = DynamicMessage::deserialize(method.input(), request).unwrap();
        let context = Context { deadline: time.map(|time| std::time::Instant::now() + time), ..Context::default() };
        let messages = Messages::one(request.encode_to_vec());
        let call = Call { method: format!("bank.accounts.v1.Accounts/{name}"), messages, context };
        let answer = self.adapter.call(call).await?.into_one().await?;
        let answer = DynamicMessage::decode(method.output(), answer).unwrap();
        let options = SerializeOptions::new().skip_default_fields(false);
        Ok(answer.serialize_with_options(serde_json::value::Serializer, &options).unwrap())
    }
}

struct Resolver(String, protox::file::File);

impl protox::file::FileResolver for Resolver {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        if name == self.0 { Ok(self.1.clone()) } else { protox::file::GoogleFileResolver::new().open_file(name) }
    }
}
