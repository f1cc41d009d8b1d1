//! Reflection read from real servers: v1, v1alpha only, none, and one that does not answer.

use std::future::pending;
use std::time::Duration;

use expect_test::expect;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::server::Router;
use tonic::transport::{Channel, Endpoint, Server};
use tonic_reflection::server::Builder;

use super::fixture::compile;
use super::{Image, ReflectError, reflect};

const PATIENCE: Duration = Duration::from_secs(10);

async fn serve(router: Router) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

fn shop() -> Vec<u8> {
    let shared = "syntax = \"proto3\"; package shared; message Money { int64 cents = 1; }";
    let one = "syntax = \"proto3\"; package one; import \"shared.proto\"; import \"google/protobuf/timestamp.proto\"; \
               message M { shared.Money money = 1; google.protobuf.Timestamp at = 2; } service One { rpc Do(M) returns (M); }";
    let two =
        "syntax = \"proto3\"; package two; import \"shared.proto\"; service Two { rpc Do(shared.Money) returns (shared.Money); }";
    compile(&[("shared.proto", shared), ("one.proto", one), ("two.proto", two)])
}

fn services(image: &Image) -> Vec<String> {
    let mut names: Vec<_> = image.pool().services().map(|service| service.full_name().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn v1_gives_all_services_with_all_their_imports() {
    let bytes = shop();
    let service = Builder::configure().register_encoded_file_descriptor_set(&bytes).build_v1().unwrap();
    let (_, health) = tonic_health::server::health_reporter();
    let channel = serve(Server::builder().add_service(service).add_service(health)).await;
    let image = Image::decode(reflect(channel, PATIENCE).await.unwrap()).unwrap();
    assert_eq!(services(&image), ["one.One", "two.Two"]);
    let mut files: Vec<_> = image.files().iter().map(|file| file.name.as_str()).collect();
    files.sort();
    assert_eq!(files, ["google/protobuf/timestamp.proto", "one.proto", "shared.proto", "two.proto"]);
}

#[tokio::test]
async fn v1alpha_is_asked_where_v1_is_not_there() {
    let bytes = shop();
    let service = Builder::configure().register_encoded_file_descriptor_set(&bytes).build_v1alpha().unwrap();
    let channel = serve(Server::builder().add_service(service)).await;
    let image = Image::decode(reflect(channel, PATIENCE).await.unwrap()).unwrap();
    assert_eq!(services(&image), ["one.One", "two.Two"]);
}

#[tokio::test]
async fn a_server_without_reflection_gets_a_way_out() {
    let (_, health) = tonic_health::server::health_reporter();
    let channel = serve(Server::builder().add_service(health)).await;
    let error = reflect(channel, PATIENCE).await.unwrap_err();
    expect![
        "the server offers no gRPC reflection; turn it on there, or give its .proto files or an image (protoc -o, buf build -o)"
    ]
    .assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_server_that_lists_only_reflection_has_no_contract() {
    let service = Builder::configure().build_v1().unwrap();
    let channel = serve(Server::builder().add_service(service)).await;
    assert!(matches!(reflect(channel, PATIENCE).await, Err(ReflectError::NoService)));
}

#[tokio::test]
async fn a_file_that_the_server_cannot_give_is_named() {
    let with_import = compile(&[
        ("m.proto", "syntax = \"proto3\"; message M {}"),
        ("a.proto", "syntax = \"proto3\"; import \"m.proto\"; service S { rpc Do(M) returns (M); }"),
    ]);
    let image = Image::decode(with_import).unwrap();
    let bytes = &image.file("a.proto").unwrap().bytes;
    let mut lonely = vec![0x0a];
    prost::encoding::encode_varint(bytes.len() as u64, &mut lonely);
    lonely.extend_from_slice(bytes);
    let service = Builder::configure().register_encoded_file_descriptor_set(&lonely).build_v1().unwrap();
    let channel = serve(Server::builder().add_service(service)).await;
    let error = reflect(channel, PATIENCE).await.unwrap_err();
    assert!(matches!(&error, ReflectError::Call(_) | ReflectError::Undescribed { .. }), "{error}");
    assert!(error.to_string().contains("m.proto"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let error = reflect(channel, PATIENCE).await.unwrap_err();
    assert!(matches!(error, ReflectError::Call(_)), "{error}");
    expect!["the server cannot be reached: tcp connect error: Connection refused (os error 111)"].assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_left_after_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let _held = listener.accept().await;
        pending::<()>().await;
    });
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let error = reflect(channel, Duration::from_millis(50)).await.unwrap_err();
    expect!["the server's reflection did not answer in full within 50 ms"].assert_eq(&error.to_string());
}
