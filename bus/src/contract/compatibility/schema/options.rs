//! The parts of descriptors that `image::raw` keeps as bytes and the rules read.

use prost::Message;

/// `FileOptions`, as far as rules read it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct FileOptions {
    #[prost(string, optional, tag = "1")]
    pub(crate) java_package: Option<String>,
    #[prost(string, optional, tag = "8")]
    pub(crate) java_outer_classname: Option<String>,
    #[prost(int32, optional, tag = "9")]
    pub(crate) optimize_for: Option<i32>,
    #[prost(bool, optional, tag = "10")]
    pub(crate) java_multiple_files: Option<bool>,
    #[prost(string, optional, tag = "11")]
    pub(crate) go_package: Option<String>,
    #[prost(bool, optional, tag = "16")]
    pub(crate) cc_generic_services: Option<bool>,
    #[prost(bool, optional, tag = "17")]
    pub(crate) java_generic_services: Option<bool>,
    #[prost(bool, optional, tag = "18")]
    pub(crate) py_generic_services: Option<bool>,
    #[prost(bool, optional, tag = "27")]
    pub(crate) java_string_check_utf8: Option<bool>,
    #[prost(bool, optional, tag = "31")]
    pub(crate) cc_enable_arenas: Option<bool>,
    #[prost(string, optional, tag = "36")]
    pub(crate) objc_class_prefix: Option<String>,
    #[prost(string, optional, tag = "37")]
    pub(crate) csharp_namespace: Option<String>,
    #[prost(string, optional, tag = "39")]
    pub(crate) swift_prefix: Option<String>,
    #[prost(string, optional, tag = "40")]
    pub(crate) php_class_prefix: Option<String>,
    #[prost(string, optional, tag = "41")]
    pub(crate) php_namespace: Option<String>,
    #[prost(string, optional, tag = "44")]
    pub(crate) php_metadata_namespace: Option<String>,
    #[prost(string, optional, tag = "45")]
    pub(crate) ruby_package: Option<String>,
    #[prost(message, optional, tag = "50")]
    pub(crate) features: Option<FeatureSet>,
}

/// `MessageOptions`, as far as rules read it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct MessageOptions {
    #[prost(bool, optional, tag = "2")]
    pub(crate) no_standard_descriptor_accessor: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    pub(crate) map_entry: Option<bool>,
    #[prost(message, optional, tag = "12")]
    pub(crate) features: Option<FeatureSet>,
}

/// `FieldOptions`, as far as rules read it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct FieldOptions {
    #[prost(int32, optional, tag = "1")]
    pub(crate) ctype: Option<i32>,
    #[prost(int32, optional, tag = "6")]
    pub(crate) jstype: Option<i32>,
    #[prost(message, optional, tag = "21")]
    pub(crate) features: Option<FeatureSet>,
}

/// `OneofOptions`, as far as rules read it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct OneofOptions {
    #[prost(message, optional, tag = "1")]
    pub(crate) features: Option<FeatureSet>,
}

/// `EnumOptions`, as far as rules read it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct EnumOptions {
    #[prost(message, optional, tag = "7")]
    pub(crate) features: Option<FeatureSet>,
}

/// `MethodOptions`, as far as rules read it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct MethodOptions {
    #[prost(int32, optional, tag = "34")]
    pub(crate) idempotency_level: Option<i32>,
}

/// `FeatureSet` with the features of C++ and Java that change generated code.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct FeatureSet {
    #[prost(int32, optional, tag = "1")]
    pub(crate) field_presence: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) enum_type: Option<i32>,
    #[prost(int32, optional, tag = "4")]
    pub(crate) utf8_validation: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) message_encoding: Option<i32>,
    #[prost(int32, optional, tag = "6")]
    pub(crate) json_format: Option<i32>,
    #[prost(message, optional, tag = "1000")]
    pub(crate) cpp: Option<CppFeatures>,
    #[prost(message, optional, tag = "1001")]
    pub(crate) java: Option<JavaFeatures>,
}

/// `pb.CppFeatures`, as far as rules read it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct CppFeatures {
    #[prost(int32, optional, tag = "2")]
    pub(crate) string_type: Option<i32>,
}

/// `pb.JavaFeatures`, as far as rules read it.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct JavaFeatures {
    #[prost(int32, optional, tag = "2")]
    pub(crate) utf8_validation: Option<i32>,
}

/// A range of numbers: the end is exclusive in messages, inclusive in enums.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Range {
    #[prost(int32, optional, tag = "1")]
    pub(crate) start: Option<i32>,
    #[prost(int32, optional, tag = "2")]
    pub(crate) end: Option<i32>,
}

/// `SourceCodeInfo`, without comments.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SourceCodeInfo {
    #[prost(message, repeated, tag = "1")]
    pub(crate) location: Vec<Location>,
}

/// Where something is written.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Location {
    #[prost(int32, repeated, tag = "1")]
    pub(crate) path: Vec<i32>,
    #[prost(int32, repeated, tag = "2")]
    pub(crate) span: Vec<i32>,
}
