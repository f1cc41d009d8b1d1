//! Answers of real servers, and broken ones.

use expect_test::expect;

use super::multistatus::{bare_etag, read};

#[test]
fn the_properties_are_those_that_the_server_gave() {
    let text = r#"<?xml version="1.0" encoding="utf-8"?>
        <D:multistatus xmlns:D="DAV:"><D:response xmlns:a="DAV:" xmlns:m="urn:m">
        <D:href>/doc%20%c3%a9</D:href>
        <D:propstat><D:prop><m:Key.x> &#233;&lt;&amp;<![CDATA[<b>]]> </m:Key.x><a:resourcetype/><a:getetag>W/"6-66"</a:getetag></D:prop>
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat>
        <D:propstat><D:prop><m:none/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
        </D:response><D:response><D:href>/c/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>
        <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"#;
    let resources = read(text, 2).expect("it is well formed");
    let shown = resources.iter().map(|resource| {
        let etag = resource.etag();
        let (href, collection, refused) = (&resource.href, resource.collection, resource.refused);
        format!("{href} collection={collection} refused={refused} etag={etag} key={:?}", resource.property("urn:m", "Key.x"))
    });
    expect![[r#"
        /doc%20%c3%a9 collection=false refused=true etag=6-66 key=Some(" é<&<b> ")
        /c/ collection=true refused=false etag= key=None"#]]
    .assert_eq(&shown.collect::<Vec<_>>().join("\n"));
    assert!(read(text, 1).is_err_and(|error| error.contains("more than 1 resources")));
}

#[test]
fn an_etag_is_the_same_however_a_server_writes_it() {
    assert!([r#""a-1""#, r#"W/"a-1""#, "a-1", r#" "a-1" "#].iter().all(|etag| bare_etag(etag) == "a-1"));
}

#[test]
fn what_is_no_multistatus_is_refused_with_the_place() {
    let deep = format!("<D:multistatus xmlns:D=\"DAV:\">{}", "<D:x>".repeat(100));
    let bad = [
        "",
        "<html><body/></html>",
        "<multistatus/>",
        "<D:multistatus/>",
        "<D:multistatus xmlns:D=\"DAV:\"><D:response>",
        "<D:multistatus xmlns:D=\"DAV:\"></D:response>",
        "<!DOCTYPE x [<!ENTITY e \"e\">]><D:multistatus xmlns:D=\"DAV:\">&e;</D:multistatus>",
        "<D:multistatus xmlns:D=\"DAV:\">&e;</D:multistatus>",
        &deep,
    ];
    for text in bad {
        assert!(read(text, 10).is_err(), "{text}");
    }
}
