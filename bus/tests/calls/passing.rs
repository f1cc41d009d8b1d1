//! What passes: metadata, messages, trailers and outcomes of every kind of call, untouched.

use bytes::Bytes;
use http::{HeaderMap, Request};
use tokio::sync::mpsc;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::bus::{BOTH, Bus, DOWNLOAD, UNARY, UPLOAD};
use super::caller::{Caller, begun, message, next, request, soon, whole, with};
use super::office::{Office, echo, head, outcome, read_all, send_all};

/// A back office that tells what it saw.
async fn witness() -> (Office, mpsc::UnboundedReceiver<(Request<()>, Vec<u8>, HeaderMap)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let office = Office::start(move |request, mut respond| {
        let tell = tell.clone();
        async move {
            let (parts, mut body) = request.into_parts();
            let (bytes, trailers) = read_all(&mut body).await.unwrap();
            tell.send((Request::from_parts(parts, ()), bytes, trailers)).unwrap();
            let mut response = head();
            for (name, value) in [("answer", "one"), ("answer", "two"), ("answer-bin", "AAEC/w")] {
                response.headers_mut().append(name, value.parse().unwrap());
            }
            let mut stream = respond.send_response(response, false).unwrap();
            send_all(&mut stream, message(3), 16384).await.unwrap();
            let mut trailers = outcome(9);
            trailers.insert("grpc-message", "no%20such".parse().unwrap());
            trailers.insert("grpc-status-details-bin", "CAkSBG5vbmU".parse().unwrap());
            trailers.append("late", "a".parse().unwrap());
            trailers.append("late", "b".parse().unwrap());
            stream.send_trailers(trailers).unwrap();
        }
    })
    .await;
    (office, told)
}

fn all(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn metadata_passes_both_ways_binary_and_repeated_too() {
    let (office, mut told) = witness().await;
    let bus = Bus::before(&[office.address]).await;
    let mut asked = request(UNARY);
    for (name, value) in [("key", "one"), ("key", "two"), ("key-bin", "AP8"), ("grpc-accept-encoding", "gzip"), ("host", "x")] {
        asked = with(asked, name, value);
    }
    let answer = Caller::connect(bus.address).await.send(asked, message(2)).await;

    let (seen, body, _) = told.recv().await.unwrap();
    assert_eq!(seen.uri().to_string(), format!("http://{}{UNARY}", office.address));
    assert_eq!(all(seen.headers(), "key"), ["one", "two"]);
    assert_eq!(all(seen.headers(), "key-bin"), ["AP8"]);
    assert_eq!(all(seen.headers(), "te"), ["trailers"]);
    assert_eq!(all(seen.headers(), "grpc-accept-encoding"), ["gzip"]);
    assert_eq!(all(seen.headers(), "host"), Vec::<String>::new());
    assert_eq!(all(seen.headers(), "grpc-timeout"), Vec::<String>::new());
    assert_eq!(body, message(2));

    assert_eq!(all(&answer.head, "answer"), ["one", "two"]);
    assert_eq!(all(&answer.head, "answer-bin"), ["AAEC/w"]);
    assert_eq!(answer.body, message(3));
    assert_eq!((answer.code(), answer.message()), (9, "no such".to_owned()));
    assert_eq!(all(&answer.trailers, "grpc-status-details-bin"), ["CAkSBG5vbmU"]);
    assert_eq!(all(&answer.trailers, "late"), ["a", "b"]);
    assert!(!answer.head.contains_key("content-length"));
}

#[tokio::test]
async fn compressed_messages_pass_as_they_are() {
    let (office, mut told) = witness().await;
    let bus = Bus::before(&[office.address]).await;
    let asked = with(request(UNARY), "grpc-encoding", "gzip");
    let squeezed = Bytes::from_static(&[1, 0, 0, 0, 2, 0x1f, 0x8b]);
    Caller::connect(bus.address).await.send(asked, squeezed.clone()).await;
    let (seen, body, _) = told.recv().await.unwrap();
    assert_eq!(all(seen.headers(), "grpc-encoding"), ["gzip"]);
    assert_eq!(body, squeezed);
}

#[tokio::test]
async fn the_callers_own_trailers_reach_the_back_office() {
    let (office, mut told) = witness().await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let (response, mut stream) = caller.start(request(UPLOAD)).await;
    stream.send_data(message(4), false).unwrap();
    stream.send_trailers(HeaderMap::from_iter([(http::HeaderName::from_static("sum"), "42".parse().unwrap())])).unwrap();
    soon(whole(response)).await.unwrap();
    let (_, body, trailers) = told.recv().await.unwrap();
    assert_eq!(body, message(4));
    assert_eq!(all(&trailers, "sum"), ["42"]);
}

#[tokio::test]
async fn an_outcome_without_messages_passes_in_one_header_frame() {
    let office = Office::start(|_request, mut respond| async move {
        let mut response = head();
        response.headers_mut().extend(outcome(5));
        respond.send_response(response, true).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let answer = Caller::connect(bus.address).await.call(UNARY, message(1)).await;
    assert_eq!((answer.head["grpc-status"].as_bytes(), answer.trailers.len()), (&b"5"[..], 0));
}

#[tokio::test]
async fn an_outcome_in_the_headers_is_not_followed_by_another_one() {
    let office = Office::start(|_request, mut respond| async move {
        let mut response = head();
        response.headers_mut().extend(outcome(5));
        let mut stream = respond.send_response(response, false).unwrap();
        stream.send_data(Bytes::new(), true).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let answer = Caller::connect(bus.address).await.call(UNARY, message(1)).await;
    assert_eq!((answer.head["grpc-status"].as_bytes(), answer.trailers.len()), (&b"5"[..], 0));
}

#[tokio::test]
async fn each_side_of_a_stream_hears_the_other_at_once() {
    let office = Office::start(|request, mut respond| async move {
        let mut body = request.into_body();
        let mut stream = respond.send_response(head(), false).unwrap();
        while let Some(Ok(data)) = body.data().await {
            body.flow_control().release_capacity(data.len()).unwrap();
            stream.send_data(data, false).unwrap();
        }
        stream.send_trailers(outcome(0)).unwrap();
    })
    .await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    for (path, lengths) in [(UNARY, &[100][..]), (UPLOAD, &[100]), (DOWNLOAD, &[0, 1, 100]), (BOTH, &[0, 1, 100])] {
        let (response, mut stream) = caller.start(request(path)).await;
        let mut body = begun(response).await.into_body();
        for &length in lengths {
            stream.send_data(message(length), false).unwrap();
            assert_eq!(next(&mut body).await, message(length));
        }
        stream.send_data(Bytes::new(), true).unwrap();
        let (rest, trailers) = soon(read_all(&mut body)).await.unwrap();
        assert_eq!((rest.len(), trailers["grpc-status"].as_bytes()), (0, &b"0"[..]));
    }
}

#[tokio::test]
async fn a_thousand_calls_share_one_connection() {
    let office = Office::start(echo).await;
    let bus = Bus::before(&[office.address]).await;
    let caller = Caller::connect(bus.address).await;
    let calls = (0..1000).map(|index| {
        let caller = caller.clone();
        async move { (index, caller.call(UNARY, message(index)).await) }
    });
    for (index, answer) in soon(futures_util::future::join_all(calls)).await {
        assert_eq!(answer.code(), 0);
        assert_eq!(answer.body, message(index));
    }
}

#[tokio::test]
async fn tonic_on_both_sides_does_not_notice_the_bus() {
    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_service_status("cards", tonic_health::ServingStatus::Serving).await;
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(socket);
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));

    let bus = Bus::before(&[address]).await;
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", bus.address)).unwrap().connect().await.unwrap();
    let mut client = HealthClient::new(channel);
    let ask = |service: &str| HealthCheckRequest { service: service.to_owned() };
    assert_eq!(client.check(ask("cards")).await.unwrap().into_inner().status, 1);
    assert_eq!(client.check(ask("loans")).await.unwrap_err().code(), tonic::Code::NotFound);
    let mut watched = client.watch(ask("cards")).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status, 1);
    reporter.set_service_status("cards", tonic_health::ServingStatus::NotServing).await;
    assert_eq!(soon(watched.message()).await.unwrap().unwrap().status, 2);
}

#[tokio::test]
async fn a_method_nobody_serves_and_a_caller_without_grpc_get_an_answer() {
    let bus = Bus::before(&[]).await;
    let caller = Caller::connect(bus.address).await;
    let answer = caller.call("/test.Echo/Nothing", message(1)).await;
    assert_eq!(answer.code(), 12);
    assert!(answer.message().contains("test.Echo/Nothing"));
    let plain = Request::post(format!("http://bus.test{UNARY}")).body(()).unwrap();
    assert_eq!(caller.send(plain, "hello").await.http, 415);
    let get = Request::get(format!("http://bus.test{UNARY}")).body(()).unwrap();
    assert_eq!(caller.send(get, "").await.http, 405);
    let answer = caller.call(UNARY, message(1)).await;
    assert_eq!(answer.code(), 14, "an endpoint without an address is down");
}
