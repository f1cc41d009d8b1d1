//! Reflection through a real server: by the bus's own client, and question by question.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use passerelle_bus::contract::{Image, MemoryStore, Registration, Registry, Source, reflect};
use prost::Message;
use tokio::net::TcpListener;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::{v1, v1alpha};

use super::Reflection;
use crate::fixture::compile;

const PATIENCE: Duration = Duration::from_secs(10);

struct Bus {
    registry: Arc<Registry>,
    channel: Channel,
}

impl Bus {
    async fn start() -> Self {
        let registry = Arc::new(Registry::open(Arc::new(MemoryStore::default())).unwrap());
        let health = Image::decode(tonic_health::pb::FILE_DESCRIPTOR_SET).unwrap();
        let reflection =
            Reflection::new().unwrap().with_services(health, &["grpc.health.v1.Health"]).with_contracts(registry.clone());
        let router = Server::builder().add_service(reflection.v1()).add_service(reflection.v1alpha());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
        Self { registry, channel: Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy() }
    }

    fn register(&self, name: &str, files: &[(&str, &str)]) {
        let registration = Registration {
            name: Some(name.to_owned()),
            image: Image::decode(compile(files)).unwrap(),
            source: Source::Upload("test".to_owned()),
            binding: None,
            override_reason: None,
            at: SystemTime::UNIX_EPOCH,
        };
        self.registry.add(registration).unwrap();
    }

    /// Asks several questions over one stream and describes each answer.
    async fn ask(&self, questions: Vec<MessageRequest>) -> Vec<String> {
        let mut client = v1::server_reflection_client::ServerReflectionClient::new(self.channel.clone());
        let questions =
            questions.into_iter().map(|asked| v1::ServerReflectionRequest { host: "h".to_owned(), message_request: Some(asked) });
        let questions: Vec<_> = questions.collect();
        let answers = client.server_reflection_info(tokio_stream::iter(questions)).await.unwrap().into_inner();
        answers.map(|answer| described(answer.unwrap())).collect().await
    }

    async fn said(&self, question: MessageRequest, expected: Expect) {
        expected.assert_eq(&self.ask(vec![question]).await.concat());
    }
}

fn described(answer: v1::ServerReflectionResponse) -> String {
    assert_eq!((answer.valid_host.as_str(), answer.original_request.is_some()), ("h", true));
    match answer.message_response.unwrap() {
        MessageResponse::FileDescriptorResponse(files) => {
            let files = files.file_descriptor_proto.iter();
            files
                .map(|file| prost_types::FileDescriptorProto::decode(file.as_slice()).unwrap().name().to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        }
        MessageResponse::ListServicesResponse(list) => {
            list.service.iter().map(|service| service.name.as_str()).collect::<Vec<_>>().join(" ")
        }
        MessageResponse::AllExtensionNumbersResponse(numbers) => {
            format!("{} {:?}", numbers.base_type_name, numbers.extension_number)
        }
        MessageResponse::ErrorResponse(error) => format!("{} {}", error.error_code, error.error_message),
    }
}

fn symbol(name: &str) -> MessageRequest {
    MessageRequest::FileContainingSymbol(name.to_owned())
}

fn file(name: &str) -> MessageRequest {
    MessageRequest::FileByFilename(name.to_owned())
}

const TYPES: (&str, &str) = (
    "types.proto",
    "syntax = \"proto2\"; package shop; message Money { optional int64 cents = 1; oneof o { bool b = 2; } extensions 100 to 200; } \
     enum State { OPEN = 0; } extend Money { optional string note = 101; }",
);
const TILL: (&str, &str) =
    ("till.proto", "syntax = \"proto3\"; package shop; import \"types.proto\"; service Till { rpc Buy(Money) returns (Money); }");

#[tokio::test]
async fn the_list_follows_the_registry() {
    let bus = Bus::start().await;
    let list = || MessageRequest::ListServices(String::new());
    let own = "grpc.health.v1.Health grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection";
    assert_eq!(bus.ask(vec![list()]).await, [own]);
    bus.register("shop", &[TYPES, TILL]);
    assert_eq!(bus.ask(vec![list()]).await, [format!("{own} shop.Till")]);
    bus.registry.remove("shop", None).unwrap();
    assert_eq!(bus.ask(vec![list()]).await, [own]);
}

#[tokio::test]
async fn anything_with_a_name_leads_to_its_file_and_imports() {
    let bus = Bus::start().await;
    bus.register("shop", &[TYPES, TILL]);
    bus.said(symbol("shop.Till"), expect!["till.proto types.proto"]).await;
    bus.said(symbol(".shop.Till.Buy"), expect!["till.proto types.proto"]).await;
    for name in ["shop.Money", "shop.Money.cents", "shop.Money.o", "shop.State", "shop.OPEN", "shop.note"] {
        assert_eq!(bus.ask(vec![symbol(name)]).await, ["types.proto"], "{name}");
    }
    bus.said(symbol("grpc.health.v1.Health"), expect!["health.proto"]).await;
    bus.said(file("types.proto"), expect!["types.proto"]).await;
}

#[tokio::test]
async fn extensions_are_found_by_number() {
    let bus = Bus::start().await;
    bus.register("shop", &[TYPES, TILL]);
    let extension = |number| {
        MessageRequest::FileContainingExtension(v1::ExtensionRequest {
            containing_type: "shop.Money".to_owned(),
            extension_number: number,
        })
    };
    bus.said(extension(101), expect!["types.proto"]).await;
    bus.said(extension(102), expect!["5 no extension of shop.Money with number 102 here"]).await;
    bus.said(extension(-1), expect!["5 no extension of shop.Money with number -1 here"]).await;
    bus.said(MessageRequest::AllExtensionNumbersOfType("shop.Money".to_owned()), expect!["shop.Money [101]"]).await;
    bus.said(MessageRequest::AllExtensionNumbersOfType("shop.No".to_owned()), expect!["5 no message shop.No here"]).await;
}

#[tokio::test]
async fn what_is_unknown_is_refused_and_the_stream_goes_on() {
    let bus = Bus::start().await;
    let answers = bus
        .ask(vec![symbol("no.Such"), file("no.proto"), symbol("shop.Till.No"), symbol(""), symbol("grpc.health.v1.Health")])
        .await;
    expect![[r#"
        5 no symbol no.Such here
        5 no file no.proto here
        5 no symbol shop.Till.No here
        5 no symbol  here
        health.proto"#]]
    .assert_eq(&answers.join("\n"));
}

#[tokio::test]
async fn two_contracts_may_bring_different_files_of_one_name() {
    let bus = Bus::start().await;
    let service = |name: &str| {
        format!(
            "syntax = \"proto3\"; package {name}; import \"shared.proto\"; service Desk {{ rpc Do(shared.M) returns (shared.M); }}"
        )
    };
    let shared = |field: &str| format!("syntax = \"proto3\"; package shared; message M {{ string {field} = 1; }}");
    bus.register("a", &[("shared.proto", &shared("of_a")), ("a.proto", &service("a"))]);
    bus.register("b", &[("shared.proto", &shared("of_b")), ("b.proto", &service("b"))]);
    for name in ["a", "b", "a"] {
        let image = Image::decode(
            passerelle_bus::contract::reflect_service(bus.channel.clone(), &format!("{name}.Desk"), PATIENCE).await.unwrap(),
        );
        let message = image.unwrap().pool().get_message_by_name("shared.M").unwrap();
        assert!(message.get_field_by_name(&format!("of_{name}")).is_some());
    }
    // By file name alone, what was asked for before decides.
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(bus.channel.clone());
    for name in ["b", "a"] {
        let asked = [symbol(&format!("{name}.Desk")), file("shared.proto")]
            .map(|asked| v1::ServerReflectionRequest { host: String::new(), message_request: Some(asked) });
        let answers = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap().into_inner();
        let last = answers.map(|answer| answer.unwrap().message_response.unwrap()).collect::<Vec<_>>().await.pop();
        let Some(MessageResponse::FileDescriptorResponse(files)) = last else { panic!("{last:?}") };
        let wanted = format!("of_{name}");
        assert!(files.file_descriptor_proto[0].windows(4).any(|window| window == wanted.as_bytes()), "{name}");
    }
}

#[tokio::test]
async fn files_are_served_as_they_were_handed_in() {
    let bus = Bus::start().await;
    bus.register("shop", &[TYPES, TILL]);
    let reflected = Image::decode(reflect(bus.channel.clone(), PATIENCE).await.unwrap()).unwrap();
    let registered = bus.registry.snapshot().contract("shop", None).unwrap().image.clone();
    for file in registered.files() {
        assert_eq!(reflected.file(&file.name).unwrap().bytes, file.bytes, "{}", file.name);
    }
    assert_eq!(reflected.digest(), registered.digest());
}

#[tokio::test]
async fn v1alpha_answers_as_v1() {
    let bus = Bus::start().await;
    bus.register("shop", &[TYPES, TILL]);
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(bus.channel.clone());
    let asked = v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol("shop.Till".to_owned());
    let question = v1alpha::ServerReflectionRequest { host: "h".to_owned(), message_request: Some(asked) };
    let mut answers = client.server_reflection_info(tokio_stream::iter([question])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    let answer = v1::ServerReflectionResponse::decode(answer.encode_to_vec().as_slice()).unwrap();
    assert_eq!(described(answer), "till.proto types.proto");
}
