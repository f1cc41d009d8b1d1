//! The admin services through a real server.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use passerelle_bus::contract::{MemoryStore, Registry};
use passerelle_proto::bus::v1;
use passerelle_proto::bus::v1::add_contract_request::From as Origin;
use passerelle_proto::bus::v1::contract_binding::To;
use passerelle_proto::bus::v1::contracts_client::ContractsClient;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::server::Router;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Status};

use super::{Adapters, Contracts};
use crate::fixture::compile;

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    format!("http://{address}")
}

fn channel(address: &str) -> Result<Channel, String> {
    Ok(Endpoint::from_shared(address.to_owned()).map_err(|error| error.to_string())?.connect_lazy())
}

fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

async fn contracts() -> ContractsClient<Channel> {
    let registry = Arc::new(Registry::open(Arc::new(MemoryStore::default())).unwrap());
    let service = Contracts::new(registry, Arc::new(channel), noon);
    let address = serve(Server::builder().add_service(service.server())).await;
    ContractsClient::new(channel(&address).unwrap())
}

fn desk(field: &str) -> Vec<u8> {
    let text = format!(
        "syntax = \"proto3\"; package desk.v1; message M {{ string {field} = 1; }} \
         service Desk {{ rpc Ask(M) returns (stream M) {{ option idempotency_level = NO_SIDE_EFFECTS; }} }}"
    );
    compile(&[("desk/v1/desk.proto", &text)])
}

fn upload(image: Vec<u8>) -> v1::AddContractRequest {
    v1::AddContractRequest { from: Some(Origin::Image(image)), origin: "desk.proto".to_owned(), ..Default::default() }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>, expected: Expect) {
    let status = outcome.unwrap_err();
    expected.assert_eq(&format!("{:?}: {}", status.code(), status.message()));
}

#[tokio::test]
async fn an_incompatible_version_is_refused_with_details_a_program_can_read() {
    let mut client = contracts().await;
    client.add_contract(upload(desk("name"))).await.unwrap();
    let status = client.add_contract(upload(desk("other"))).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let detail = tonic_types::pb::Status::decode(status.details()).unwrap().details.remove(0);
    assert_eq!(detail.type_url, "type.googleapis.com/passerelle.bus.v1.Incompatibility");
    let incompatibility = v1::Incompatibility::decode(detail.value.as_slice()).unwrap();
    assert_eq!((incompatibility.contract.as_str(), incompatibility.total), ("desk.v1", 2));
    let named = incompatibility.breaches.iter().find(|breach| breach.rule == "FIELD_SAME_NAME").unwrap();
    // The image tells no lines.
    assert_eq!((named.file.as_str(), named.line, named.against_version), ("desk/v1/desk.proto", 0, 1));
    assert_eq!((named.old.as_str(), named.new.as_str()), ("name name", "name other"));
    assert!(!named.way_out.is_empty());
    let long = v1::AddContractRequest { override_reason: "x".repeat(501), ..upload(desk("other")) };
    let status = client.add_contract(long).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_refusal_of_many_breaches_fits_into_the_trailers() {
    let mut client = contracts().await;
    let wide = |prefix: &str| {
        let fields: String =
            (1..=300).map(|number| format!("string {prefix}_field_with_a_long_name_{number} = {number}; ")).collect();
        let text =
            format!("syntax = \"proto3\"; package desk.v1; message M {{ {fields} }} service Desk {{ rpc Ask(M) returns (M); }}");
        compile(&[("desk/v1/desk.proto", &text)])
    };
    client.add_contract(upload(wide("one"))).await.unwrap();
    let status = client.add_contract(upload(wide("other"))).await.unwrap_err();
    let detail = tonic_types::pb::Status::decode(status.details()).unwrap().details.remove(0);
    let incompatibility = v1::Incompatibility::decode(detail.value.as_slice()).unwrap();
    assert_eq!(incompatibility.total, 600, "a name and a JSON name each");
    assert!(incompatibility.breaches.len() > 5 && status.details().len() < 8 * 1024);
}

#[tokio::test]
async fn a_breach_that_is_too_long_itself_is_counted_and_left_out() {
    let mut client = contracts().await;
    let with_default = |letter: &str| {
        let text = format!(
            "syntax = \"proto2\"; package desk.v1; message M {{ optional string name = 1 [default = \"{}\"]; }} \
             service Desk {{ rpc Ask(M) returns (M); }}",
            letter.repeat(100_000)
        );
        compile(&[("desk/v1/desk.proto", &text)])
    };
    client.add_contract(upload(with_default("x"))).await.unwrap();
    let status = client.add_contract(upload(with_default("y"))).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
    let detail = tonic_types::pb::Status::decode(status.details()).unwrap().details.remove(0);
    let incompatibility = v1::Incompatibility::decode(detail.value.as_slice()).unwrap();
    assert_eq!((incompatibility.total, incompatibility.breaches), (1, Vec::new()));
}

#[tokio::test]
async fn a_contract_is_added_listed_shown_and_removed() {
    let mut client = contracts().await;
    let image = desk("name");
    let added = client.add_contract(upload(image.clone())).await.unwrap().into_inner();
    assert_eq!((added.change(), added.newest_version), (v1::add_contract_response::Change::Registered, 1));
    let contract = added.contract.unwrap();
    assert_eq!((contract.name.as_str(), contract.version, contract.routed), ("desk.v1", 1, true));
    assert_eq!(contract.registered_at, Some(noon().into()));
    let method = &contract.services[0].methods[0];
    assert_eq!(method.path, "/desk.v1.Desk/Ask");
    assert!(!method.client_streaming && method.server_streaming);
    assert_eq!(method.idempotency(), v1::Idempotency::NoSideEffects);
    let other = v1::AddContractRequest { override_reason: "agreed".to_owned(), ..upload(desk("other")) };
    client.add_contract(other).await.unwrap();

    let listed = client.list_contracts(v1::ListContractsRequest {}).await.unwrap().into_inner().contracts;
    assert_eq!(listed.iter().map(|contract| (contract.version, contract.routed)).collect::<Vec<_>>(), [(1, false), (2, true)]);
    let first = v1::GetContractRequest { name: "desk.v1".to_owned(), version: 1 };
    assert_eq!(client.get_contract(first.clone()).await.unwrap().into_inner().image, image);
    let removed = client.remove_contract(v1::RemoveContractRequest { name: "desk.v1".to_owned(), version: 2 }).await.unwrap();
    assert_eq!(removed.into_inner().removed.len(), 1);
    refused(
        client.get_contract(v1::GetContractRequest { version: 2, ..first }).await,
        expect!["NotFound: no contract desk.v1@2; registered: desk.v1@1"],
    );
}

#[tokio::test]
async fn what_the_registry_refuses_is_told_by_code() {
    let mut client = contracts().await;
    refused(
        client.add_contract(v1::AddContractRequest::default()).await,
        expect!["InvalidArgument: neither an image nor a server to reflect is given"],
    );
    refused(
        client.add_contract(upload(b"\x0a\x02\x0a\x09".to_vec())).await,
        expect![
            "InvalidArgument: not a FileDescriptorSet (file 1 of the set): failed to decode Protobuf message: File.name: buffer underflow; make one with `buf build -o x.binpb` or `protoc -o x.binpb --include_imports`"
        ],
    );
    client.add_contract(upload(desk("name"))).await.unwrap();
    let other = v1::AddContractRequest { name: "other".to_owned(), ..upload(desk("name")) };
    refused(
        client.add_contract(other).await,
        expect![
            "AlreadyExists: /desk.v1.Desk/Ask already belongs to contract desk.v1; remove that one, or register this under the name desk.v1"
        ],
    );
    refused(
        client.remove_contract(v1::RemoveContractRequest { name: "other".to_owned(), version: 0 }).await,
        expect!["NotFound: no contract other; registered: desk.v1"],
    );
}

#[tokio::test]
async fn a_running_server_is_reflected_and_serves_what_it_reflects() {
    let bytes = desk("name");
    let reflection =
        tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(&bytes).build_v1().unwrap();
    let back_office = serve(Server::builder().add_service(reflection)).await;
    let mut client = contracts().await;
    let request = v1::AddContractRequest { from: Some(Origin::Reflect(back_office.clone())), ..Default::default() };
    let contract = client.add_contract(request).await.unwrap().into_inner().contract.unwrap();
    assert_eq!(contract.name, "desk.v1");
    let addresses = To::Addresses(v1::Addresses { address: vec![back_office] });
    assert_eq!(contract.binding, Some(v1::ContractBinding { to: Some(addresses) }));
    let again = client.add_contract(upload(bytes)).await.unwrap().into_inner();
    assert_eq!(again.change(), v1::add_contract_response::Change::Unchanged, "the digest is the same however it came");
}

#[tokio::test]
async fn a_server_that_cannot_be_reflected_is_told_apart() {
    let mut client = contracts().await;
    let reflect =
        |address: &str| v1::AddContractRequest { from: Some(Origin::Reflect(address.to_owned())), ..Default::default() };
    let silent = serve(Server::builder().add_service(tonic_health::server::health_reporter().1)).await;
    let status = client.add_contract(reflect(&silent)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
    assert!(status.message().starts_with(&format!("{silent}: the server offers no gRPC reflection")), "{status}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let status = client.add_contract(reflect(&nobody)).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(status.message().starts_with(&format!("{nobody}: the server cannot be reached: ")), "{status}");
}

#[tokio::test]
async fn an_adapter_that_is_not_there_is_answered_with_those_that_are() {
    let address = serve(Server::builder().add_service(Adapters::new(Vec::new()).server())).await;
    let mut client = v1::adapters_client::AdaptersClient::new(channel(&address).unwrap());
    assert!(client.list_adapters(v1::ListAdaptersRequest {}).await.unwrap().into_inner().adapters.is_empty());
    let outcome = client.describe_adapter(v1::DescribeAdapterRequest { kind: "mainfraim".to_owned() }).await;
    refused(outcome, expect![[r#"NotFound: no adapter "mainfraim"; available: "#]]);
}
