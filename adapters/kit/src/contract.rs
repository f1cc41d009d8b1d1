//! The contracts that an adapter speaks, compiled: JSON to messages and back, by method.

use std::collections::HashMap;

use bytes::Bytes;
use passerelle_adapter::ContractSource;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MethodDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use serde_json::{Map, Value};

/// What becomes a new word in each request.
const UNIQUE: &str = "{unique}";

/// All contracts of an adapter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contracts {
    methods: HashMap<String, MethodDescriptor>,
}

impl Contracts {
    /// Compiles what the adapter speaks.
    ///
    /// # Errors
    /// What does not compile, with file, line and column.
    pub(crate) fn compile(sources: &[ContractSource]) -> Result<Self, String> {
        let mut methods = HashMap::new();
        for source in sources {
            let pool = compile(source)?;
            let of_pool = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
            methods.extend(of_pool.map(|method| (format!("{}/{}", method.parent_service().full_name(), method.name()), method)));
        }
        Ok(Self { methods })
    }

    /// Names of all methods, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.methods.keys().cloned().collect();
        names.sort();
        names
    }

    /// Whether there is such a method.
    pub(crate) fn has(&self, method: &str) -> bool {
        self.methods.contains_key(method)
    }

    /// Whether the method takes one message and gives one.
    pub(crate) fn is_unary(&self, method: &str) -> bool {
        self.methods.get(method).is_some_and(|method| !method.is_client_streaming() && !method.is_server_streaming())
    }

    /// A request in JSON as protobuf bytes.
    pub(crate) fn request(&self, method: &str, json: &Map<String, Value>) -> Result<Bytes, String> {
        let input = self.method(method)?.input();
        let json = replaced(&Value::Object(json.clone()), &unique());
        let message = DynamicMessage::deserialize(input, json).map_err(|error| format!("the request for {method}: {error}"))?;
        Ok(message.encode_to_vec().into())
    }

    /// An answer as JSON, with fields that are not set.
    pub(crate) fn answer(&self, method: &str, bytes: &Bytes) -> Result<Value, String> {
        let output = self.method(method)?.output();
        let name = output.full_name().to_owned();
        let message =
            DynamicMessage::decode(output, bytes.clone()).map_err(|error| format!("the answer is no {name}: {error}"))?;
        let options = prost_reflect::SerializeOptions::new().skip_default_fields(false);
        message
            .serialize_with_options(serde_json::value::Serializer, &options)
            .map_err(|error| format!("the answer cannot be written as JSON: {error}"))
    }

    /// Whether these are bytes of that type.
    pub(crate) fn read(&self, name: &str, bytes: &Bytes) -> Result<(), String> {
        let pools = self.methods.values().map(|method| method.parent_pool());
        let found = pools.into_iter().find_map(|pool| pool.get_message_by_name(name));
        let kind = found.ok_or_else(|| format!("no contract has a message {name}"))?;
        DynamicMessage::decode(kind, bytes.clone())
            .map(drop)
            .map_err(|error| format!("what is handed over is no {name}: {error}"))
    }

    /// The first field of the method's request that is a single string.
    pub(crate) fn string_field(&self, method: &str) -> Option<FieldDescriptor> {
        let input = self.methods.get(method)?.input();
        input.fields().find(|field| field.kind() == Kind::String && !field.is_list())
    }

    /// A number that no field of the method's request has.
    pub(crate) fn free_number(&self, method: &str) -> u32 {
        let input = self.methods.get(method).map(MethodDescriptor::input);
        let taken = |number: &u32| input.as_ref().is_some_and(|input| input.get_field(*number).is_some());
        (15_000..18_000).find(|number| !taken(number)).unwrap_or(18_500)
    }

    fn method(&self, method: &str) -> Result<&MethodDescriptor, String> {
        self.methods.get(method).ok_or_else(|| format!("no contract has {method} (there are: {})", self.names().join(", ")))
    }
}

/// A word that was never used before.
pub(crate) fn unique() -> String {
    format!("kit{:016x}", fastrand::u64(..))
}

fn replaced(json: &Value, word: &str) -> Value {
    match json {
        Value::String(text) => Value::String(text.replace(UNIQUE, word)),
        Value::Array(list) => list.iter().map(|value| replaced(value, word)).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), replaced(value, word))).collect(),
        other => other.clone(),
    }
}

/// Whether requests made of this JSON differ.
pub(crate) fn differs_each_time(json: &Map<String, Value>) -> bool {
    Value::Object(json.clone()).to_string().contains(UNIQUE)
}

/// The first place at which `actual` lacks what `wanted` has. Protobuf JSON writes 64-bit numbers as text; people need not.
pub(crate) fn missing(wanted: &Value, actual: &Value, path: &str) -> Option<String> {
    match (wanted, actual) {
        (Value::Object(wanted), Value::Object(actual)) => wanted.iter().find_map(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            actual.get(name).map_or_else(|| Some(path.clone()), |actual| missing(value, actual, &path))
        }),
        (Value::Array(wanted), Value::Array(actual)) if wanted.len() == actual.len() => {
            let pairs = wanted.iter().zip(actual).enumerate();
            pairs.into_iter().find_map(|(index, (wanted, actual))| missing(wanted, actual, &format!("{path}[{index}]")))
        }
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number))
            if *text == number.to_string() =>
        {
            None
        }
        (wanted, actual) if wanted == actual => None,
        _ => Some(path.to_owned()),
    }
}

/// The number at a path: a number itself, one written as text, or a list's length.
pub(crate) fn count(json: &Value, path: &str) -> Option<i64> {
    match path.split('.').try_fold(json, |json, step| json.get(step))? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Array(list) => i64::try_from(list.len()).ok(),
        _ => None,
    }
}

fn compile(source: &ContractSource) -> Result<DescriptorPool, String> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Texts(source.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    compiler.open_files(source.files.iter().map(|file| &file.path)).map_err(|error| format!("{}: {error:?}", source.name))?;
    Ok(compiler.descriptor_pool())
}

struct Texts(HashMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let text = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, text)
    }
}
