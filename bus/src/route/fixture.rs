//! A contract for the tests of routes: a desk whose request has a field of every sort.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use http::HeaderName;
use passerelle_feel::Value;
use prost_reflect::MessageDescriptor;

use super::{Refused, Set, Sources, Surroundings};
use crate::contract::fixture::compile;
use crate::contract::{Binding, CHANNEL_HEADER, Image, MemoryStore, Registration, Registry, Source};
use crate::keyed::clock::Manual;
use crate::written::Text;

pub(super) const DESK: &str = r#"
syntax = "proto3";
package desk.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Asked {
  string name = 1; int64 amount = 2; bool urgent = 3; optional string note = 4; Kind kind = 5; Customer customer = 6;
  repeated Item items = 7; map<string, string> labels = 8;
  oneof way { string mail = 9; Customer other = 10; int32 call = 11; }
  repeated int32 codes = 12; double rate = 13; sint32 delta = 14; uint64 big = 15; bytes raw = 16;
  google.protobuf.Timestamp at = 17; map<int32, Item> stock = 18; google.protobuf.StringValue nick = 19;
  repeated Kind kinds = 20; fixed32 f32 = 21; sfixed64 f64 = 22; float ratio = 23; repeated double rates = 24;
}
message Customer { string id = 1; string segment = 2; optional int32 score = 3; Customer partner = 4; }
message Item { string sku = 1; int32 price = 2; repeated string tags = 3; }
enum Kind { KIND_UNSPECIFIED = 0; CARD = 1; LOAN = 2; }
message Told { string text = 1; }
service Desk { rpc Ask(Asked) returns (Told); rpc Tell(Asked) returns (Told); rpc Follow(stream Asked) returns (stream Told); rpc Other(Told) returns (Told); }
"#;

pub(super) fn registry() -> Registry {
    let registry = Registry::open(Arc::new(MemoryStore::default())).unwrap();
    let image = Image::decode(compile(&[("desk/v1/desk.proto", DESK)])).unwrap();
    registry
        .add(Registration {
            name: None,
            image,
            source: Source::Upload("desk.proto".to_owned()),
            binding: Some(Binding::Endpoint("desk".to_owned())),
            override_reason: None,
            at: SystemTime::UNIX_EPOCH,
        })
        .unwrap();
    registry
}

pub(super) fn asked() -> MessageDescriptor {
    // Once: messages of two pools are never equal.
    static ASKED: LazyLock<MessageDescriptor> =
        LazyLock::new(|| registry().snapshot().method("/desk.v1.Desk/Ask").unwrap().input.clone());
    ASKED.clone()
}

/// A set of these files, with the endpoints `desk`, `north` and `south`.
pub(super) fn set(files: &[(&str, &str)]) -> Result<Set, Refused> {
    let texts = files.iter().map(|(name, text)| Text { name: (*name).to_owned(), text: (*text).to_owned() });
    let sources = Sources::read(texts.collect())?;
    Set::compile(
        &sources,
        &Surroundings {
            snapshot: &registry().snapshot(),
            endpoints: &["desk", "north", "south"].map(str::to_owned),
            channel_key: &HeaderName::from_static(CHANNEL_HEADER),
            clock: Arc::new(Manual::at_seconds(1_800_000_000)),
        },
    )
}

/// A value as it is compared in tests.
pub(super) fn shown(value: &Value) -> String {
    passerelle_feel::to_json(value).to_string()
}
