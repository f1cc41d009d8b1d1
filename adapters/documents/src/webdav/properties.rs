//! Documents as properties of WebDAV resources: what is written with them, and what is read.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use passerelle_proto::backoffice::documents::v1::{Document, Reference};
use ring::digest::{SHA256, digest};

use super::multistatus::Resource;

/// The namespace of metadata: their keys are names in it, so that other clients can read and write them.
pub(super) const METADATA: &str = "urn:passerelle:metadata";
/// The namespace of what the adapter remembers.
pub(super) const OWN: &str = "urn:passerelle:documents";
/// Hexadecimal digits of a version.
const VERSION_DIGITS: usize = 32;

/// Asks for all properties.
pub(super) const ALL: &str = r#"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>"#;
/// Asks for the only lock.
pub(super) const LOCK: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>"#,
    r#"<D:locktype><D:write/></D:locktype><D:owner>passerelle</D:owner></D:lockinfo>"#
);

/// The body of a PROPPATCH that says all of a document that is not its content. `effect` names this one storing of it.
pub(super) fn update(effect: &str, media_type: &str, metadata: &BTreeMap<String, String>) -> String {
    let mut properties = format!("<o:effect>{effect}</o:effect><o:media-type>{}</o:media-type>", escaped(media_type));
    for (key, value) in metadata {
        properties += &format!("<m:{key}>{}</m:{key}>", escaped(value));
    }
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><D:propertyupdate xmlns:D="DAV:" xmlns:o="{OWN}" xmlns:m="{METADATA}"><D:set><D:prop>{properties}</D:prop></D:set></D:propertyupdate>"#
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Which storing a resource comes from; empty if it was never stored by an adapter.
pub(super) fn effect(resource: &Resource) -> &str {
    resource.property(OWN, "effect").unwrap_or_default()
}

/// A resource's version. Both parts are needed: a server that counts whole seconds gives the same ETag to two contents of one second, and
/// other clients change contents without knowing of our property.
pub(super) fn version(resource: &Resource) -> String {
    let changed = match resource.etag() {
        "" => resource.dav("getlastmodified").unwrap_or_default(),
        etag => etag,
    };
    let mut version = HEXLOWER.encode(digest(&SHA256, format!("{changed}\n{}", effect(resource)).as_bytes()).as_ref());
    version.truncate(VERSION_DIGITS);
    version
}

/// The document that a resource is.
pub(super) fn document(reference: Reference, resource: &Resource) -> Document {
    let metadata = resource.properties.iter().filter(|((namespace, _), _)| namespace == METADATA);
    let media_type = resource.property(OWN, "media-type").or_else(|| resource.dav("getcontenttype"));
    let modified = resource.dav("getlastmodified").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    Document {
        reference: Some(reference),
        version: version(resource),
        size_bytes: size(resource),
        media_type: media_type.filter(|text| !text.is_empty()).unwrap_or("application/octet-stream").to_owned(),
        metadata: metadata.map(|((_, key), value)| (key.clone(), value.clone())).collect(),
        stored_at: modified.map(Into::into),
        sha256: String::new(),
    }
}

pub(super) fn size(resource: &Resource) -> u64 {
    resource.dav("getcontentlength").and_then(|length| length.trim().parse().ok()).unwrap_or_default()
}
