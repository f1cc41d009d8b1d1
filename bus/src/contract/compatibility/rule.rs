//! The rules by name, with their categories and the way out: a table.
//!
//! Names, categories and meaning are those of `buf breaking` (buf.build/docs/breaking), so that what teams know of it holds
//! here and what passes there passes here.

use std::fmt;

/// How strict a set of rules is; what a stricter one refuses includes all that a looser one refuses, in other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// Code generated from the contract goes on compiling, file by file.
    File,
    /// Code generated from the contract goes on compiling, where a package is imported whole.
    Package,
    /// Messages can be read in protobuf and in JSON.
    WireJson,
    /// Messages can be read in protobuf.
    Wire,
}

impl Category {
    /// All, strictest first.
    pub const ALL: [Self; 4] = [Self::File, Self::Package, Self::WireJson, Self::Wire];

    /// Its name: `WIRE_JSON`.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "FILE",
            Self::Package => "PACKAGE",
            Self::WireJson => "WIRE_JSON",
            Self::Wire => "WIRE",
        }
    }
}

use Category::{File, Package, Wire, WireJson};

const SOURCE: &[Category] = &[File, Package];
const ALL_BUT_WIRE: &[Category] = &[File, Package, WireJson];
const ALL: &[Category] = &[File, Package, WireJson, Wire];

const KEEP: &str = "keep it, marked `deprecated = true`, until nobody uses it";
const RESERVE: &str = "keep it, marked `deprecated = true`; when nobody uses it, delete it and reserve its number and its name";
const NEW_FIELD: &str = "leave the field as it was and add another with a number of its own";
const NEW_METHOD: &str = "leave the method as it was and add another beside it";
const NEW_VALUE: &str = "leave the value as it was and add another with a number of its own";
const UNDO: &str = "write it as it was; generated code depends on it";
const RESERVED_STAYS: &str = "reserve it again: old messages may still carry it";
const NEW_PACKAGE: &str = "leave the package as it was; a new one (v2) is a contract of its own beside it";
const PRESENT: &str = "what is required, and what is not, stays so for ever; add an optional field instead";

/// What the table says of one rule.
struct Row(Rule, &'static str, &'static [Category], &'static str);

macro_rules! table {
    ($($rule:ident $name:literal $categories:expr, $meaning:literal, $way_out:expr;)*) => {
        /// One rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $meaning] $rule,)*
        }

        const TABLE: &[Row] = &[$(Row(Rule::$rule, $name, $categories, $way_out),)*];
    };
}

table! {
    ExtensionNoDelete "EXTENSION_NO_DELETE" &[File], "extensions stay in their file", KEEP;
    ServiceNoDelete "SERVICE_NO_DELETE" &[File], "services stay in their file", KEEP;
    EnumNoDelete "ENUM_NO_DELETE" &[File], "enums stay in their file", KEEP;
    FileNoDelete "FILE_NO_DELETE" &[File], "files stay", "keep the file; others import it";
    MessageNoDelete "MESSAGE_NO_DELETE" &[File], "messages stay in their file", KEEP;
    EnumSameType "ENUM_SAME_TYPE" SOURCE, "enums stay open or closed", UNDO;
    FieldSameCardinality "FIELD_SAME_CARDINALITY" SOURCE, "fields stay optional, required, repeated or maps", NEW_FIELD;
    FieldSameCppStringType "FIELD_SAME_CPP_STRING_TYPE" SOURCE, "fields keep their C++ string type", UNDO;
    FieldSameJavaUtf8Validation "FIELD_SAME_JAVA_UTF8_VALIDATION" SOURCE, "fields keep Java's UTF-8 validation", UNDO;
    FieldSameJstype "FIELD_SAME_JSTYPE" SOURCE, "fields keep their JavaScript type", UNDO;
    FieldSameUtf8Validation "FIELD_SAME_UTF8_VALIDATION" SOURCE, "fields keep their UTF-8 validation", UNDO;
    FileSameCcEnableArenas "FILE_SAME_CC_ENABLE_ARENAS" SOURCE, "files keep option cc_enable_arenas", UNDO;
    FileSameCcGenericServices "FILE_SAME_CC_GENERIC_SERVICES" SOURCE, "files keep option cc_generic_services", UNDO;
    FileSameCsharpNamespace "FILE_SAME_CSHARP_NAMESPACE" SOURCE, "files keep option csharp_namespace", UNDO;
    FileSameGoPackage "FILE_SAME_GO_PACKAGE" SOURCE, "files keep option go_package", UNDO;
    FileSameJavaGenericServices "FILE_SAME_JAVA_GENERIC_SERVICES" SOURCE, "files keep option java_generic_services", UNDO;
    FileSameJavaMultipleFiles "FILE_SAME_JAVA_MULTIPLE_FILES" SOURCE, "files keep option java_multiple_files", UNDO;
    FileSameJavaOuterClassname "FILE_SAME_JAVA_OUTER_CLASSNAME" SOURCE, "files keep option java_outer_classname", UNDO;
    FileSameJavaPackage "FILE_SAME_JAVA_PACKAGE" SOURCE, "files keep option java_package", UNDO;
    FileSameObjcClassPrefix "FILE_SAME_OBJC_CLASS_PREFIX" SOURCE, "files keep option objc_class_prefix", UNDO;
    FileSameOptimizeFor "FILE_SAME_OPTIMIZE_FOR" SOURCE, "files keep option optimize_for", UNDO;
    FileSamePhpClassPrefix "FILE_SAME_PHP_CLASS_PREFIX" SOURCE, "files keep option php_class_prefix", UNDO;
    FileSamePhpMetadataNamespace "FILE_SAME_PHP_METADATA_NAMESPACE" SOURCE, "files keep option php_metadata_namespace", UNDO;
    FileSamePhpNamespace "FILE_SAME_PHP_NAMESPACE" SOURCE, "files keep option php_namespace", UNDO;
    FileSamePyGenericServices "FILE_SAME_PY_GENERIC_SERVICES" SOURCE, "files keep option py_generic_services", UNDO;
    FileSameRubyPackage "FILE_SAME_RUBY_PACKAGE" SOURCE, "files keep option ruby_package", UNDO;
    FileSameSwiftPrefix "FILE_SAME_SWIFT_PREFIX" SOURCE, "files keep option swift_prefix", UNDO;
    RpcNoDelete "RPC_NO_DELETE" SOURCE, "methods stay in their service", KEEP;
    EnumValueNoDelete "ENUM_VALUE_NO_DELETE" SOURCE, "enum values stay", KEEP;
    ExtensionMessageNoDelete "EXTENSION_MESSAGE_NO_DELETE" SOURCE, "extension ranges stay", "declare the range again";
    FieldNoDelete "FIELD_NO_DELETE" SOURCE, "fields stay", KEEP;
    FieldSameType "FIELD_SAME_TYPE" SOURCE, "fields keep their type", NEW_FIELD;
    FileSameSyntax "FILE_SAME_SYNTAX" SOURCE, "files keep their syntax", UNDO;
    MessageNoRemoveStandardDescriptorAccessor "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR" SOURCE,
        "messages keep their descriptor accessor", UNDO;
    OneofNoDelete "ONEOF_NO_DELETE" SOURCE, "oneofs stay", KEEP;
    EnumSameJsonFormat "ENUM_SAME_JSON_FORMAT" ALL_BUT_WIRE, "enums stay writable as JSON", UNDO;
    EnumValueSameName "ENUM_VALUE_SAME_NAME" ALL_BUT_WIRE, "enum values keep their name", NEW_VALUE;
    FieldSameJsonName "FIELD_SAME_JSON_NAME" ALL_BUT_WIRE, "fields keep their JSON name",
        "give the field its old JSON name: [json_name = \"…\"]";
    FieldSameName "FIELD_SAME_NAME" ALL_BUT_WIRE, "fields keep their name", NEW_FIELD;
    MessageSameJsonFormat "MESSAGE_SAME_JSON_FORMAT" ALL_BUT_WIRE, "messages stay writable as JSON", UNDO;
    FieldSameDefault "FIELD_SAME_DEFAULT" ALL, "fields keep their default", "give the field its old default";
    FieldSameOneof "FIELD_SAME_ONEOF" ALL, "fields stay in, or out of, their oneof", NEW_FIELD;
    FileSamePackage "FILE_SAME_PACKAGE" ALL, "files keep their package", NEW_PACKAGE;
    MessageSameRequiredFields "MESSAGE_SAME_REQUIRED_FIELDS" ALL, "required fields are neither added nor deleted", PRESENT;
    ReservedEnumNoDelete "RESERVED_ENUM_NO_DELETE" ALL, "what an enum reserves stays reserved", RESERVED_STAYS;
    ReservedMessageNoDelete "RESERVED_MESSAGE_NO_DELETE" ALL, "what a message reserves stays reserved", RESERVED_STAYS;
    RpcSameClientStreaming "RPC_SAME_CLIENT_STREAMING" ALL, "methods keep streaming, or not, towards the server", NEW_METHOD;
    RpcSameIdempotencyLevel "RPC_SAME_IDEMPOTENCY_LEVEL" ALL, "methods keep option idempotency_level",
        "write the level as it was: by it callers, and this bus, know whether a call may be repeated";
    RpcSameRequestType "RPC_SAME_REQUEST_TYPE" ALL, "methods keep their request type", NEW_METHOD;
    RpcSameResponseType "RPC_SAME_RESPONSE_TYPE" ALL, "methods keep their response type", NEW_METHOD;
    RpcSameServerStreaming "RPC_SAME_SERVER_STREAMING" ALL, "methods keep streaming, or not, towards the caller", NEW_METHOD;
    PackageEnumNoDelete "PACKAGE_ENUM_NO_DELETE" &[Package], "enums stay in their package", KEEP;
    PackageExtensionNoDelete "PACKAGE_EXTENSION_NO_DELETE" &[Package], "extensions stay in their package", KEEP;
    PackageMessageNoDelete "PACKAGE_MESSAGE_NO_DELETE" &[Package], "messages stay in their package", KEEP;
    PackageNoDelete "PACKAGE_NO_DELETE" &[Package], "packages stay", NEW_PACKAGE;
    PackageServiceNoDelete "PACKAGE_SERVICE_NO_DELETE" &[Package], "services stay in their package", KEEP;
    EnumValueNoDeleteUnlessNameReserved "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED" &[WireJson],
        "the names of deleted enum values are reserved", RESERVE;
    FieldNoDeleteUnlessNameReserved "FIELD_NO_DELETE_UNLESS_NAME_RESERVED" &[WireJson],
        "the names of deleted fields are reserved", RESERVE;
    FieldWireJsonCompatibleCardinality "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY" &[WireJson],
        "fields keep a cardinality that reads the same in protobuf and JSON", NEW_FIELD;
    FieldWireJsonCompatibleType "FIELD_WIRE_JSON_COMPATIBLE_TYPE" &[WireJson],
        "fields keep a type that reads the same in protobuf and JSON", NEW_FIELD;
    EnumValueNoDeleteUnlessNumberReserved "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED" &[WireJson, Wire],
        "the numbers of deleted enum values are reserved", RESERVE;
    FieldNoDeleteUnlessNumberReserved "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED" &[WireJson, Wire],
        "the numbers of deleted fields are reserved", RESERVE;
    FieldWireCompatibleCardinality "FIELD_WIRE_COMPATIBLE_CARDINALITY" &[Wire],
        "fields keep a cardinality that reads the same in protobuf", NEW_FIELD;
    FieldWireCompatibleType "FIELD_WIRE_COMPATIBLE_TYPE" &[Wire],
        "fields keep a type that reads the same in protobuf", NEW_FIELD;
}

impl Rule {
    /// All rules.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    /// Its name: `FIELD_SAME_TYPE`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The categories that it belongs to.
    pub fn categories(self) -> &'static [Category] {
        self.row().2
    }

    /// What to do when it is broken.
    pub fn way_out(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> &'static Row {
        // Variants and rows come from one list, in one order.
        &TABLE[self as usize]
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
