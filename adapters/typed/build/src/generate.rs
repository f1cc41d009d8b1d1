//! What is written besides the messages: a trait for each service, and the way of a call to its functions.

use std::fmt::Write;

use prost_build::{Method, Module, Service, ServiceGenerator};
use prost_types::FileDescriptorProto;
use prost_types::method_options::IdempotencyLevel;

/// The crate that carries the calls.
const TYPED: &str = "::passerelle_adapter_typed";

/// Writes the traits of one file's services, then the function `contract`, into the module of their package.
pub(crate) struct Traits {
    package: String,
    services: Vec<String>,
    /// Import paths of all that the contract is written in.
    files: Vec<String>,
    /// Of the services so far: their traits, and their methods, each with what adds it to the contract.
    traits: Vec<String>,
    methods: Vec<String>,
}

impl Traits {
    pub(crate) fn new(contract: &FileDescriptorProto, files: Vec<String>) -> Self {
        let services = contract.service.iter().map(|service| service.name().to_owned()).collect();
        Self { package: contract.package().to_owned(), services, files, traits: Vec::new(), methods: Vec::new() }
    }
}

impl ServiceGenerator for Traits {
    fn generate(&mut self, service: Service, text: &mut String) {
        if service.package == self.package && self.services.contains(&service.proto_name) {
            trait_of(&service, text);
            self.methods.extend(service.methods.iter().map(|method| addition(&service, method)));
            self.traits.push(service.name);
        }
    }

    fn finalize_package(&mut self, package: &str, text: &mut String) {
        if package == self.package {
            self.function(text);
        }
    }
}

impl Traits {
    fn function(&self, text: &mut String) {
        let contract = format!("{TYPED}::Contract");
        let traits: Vec<&str> =
            std::iter::once("::passerelle_adapter_typed::Adapter").chain(self.traits.iter().map(String::as_str)).collect();
        line(text, "/// The contract, with the functions that its methods are.");
        line(text, &format!("pub fn contract<A: {}>() -> {contract}<A> {{", traits.join(" + ")));
        line(text, &format!("    {contract}::new({:?}, &[", self.package));
        for path in &self.files {
            let place = format!("/proto/{path}");
            line(text, &format!("        ({path:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {place:?}))),"));
        }
        line(text, &format!("    ])\n{}\n}}", self.methods.join("\n")));
    }
}

/// A function for each method, which says by its type what is streamed.
fn trait_of(service: &Service, text: &mut String) {
    service.comments.append_with_indent(0, text);
    line(text, &format!("pub trait {} {{", service.name));
    for method in &service.methods {
        method.comments.append_with_indent(1, text);
        let Method { name, input_type, output_type, .. } = method;
        let request = match method.client_streaming {
            true => format!("requests: {TYPED}::Requests<{input_type}>"),
            false => format!("request: {input_type}"),
        };
        let (responses, answer) = match method.server_streaming {
            true => (format!(", responses: {TYPED}::Responses<{output_type}>"), "()"),
            false => (String::new(), output_type.as_str()),
        };
        let outcome = format!("::core::result::Result<{answer}, {TYPED}::Fault>");
        line(text, &format!("    fn {name}(&self, {request}, call: &{TYPED}::Call{responses}) -> {outcome};"));
    }
    line(text, "}");
}

/// What adds a method to the contract.
fn addition(service: &Service, method: &Method) -> String {
    let shape = match (method.client_streaming, method.server_streaming) {
        (false, false) => "unary",
        (false, true) => "gives_stream",
        (true, false) => "takes_stream",
        (true, true) => "streams",
    };
    let full_name = format!("{}.{}/{}", service.package, service.proto_name, method.proto_name);
    let idempotent = method.options.idempotency_level() != IdempotencyLevel::IdempotencyUnknown;
    format!("        .{shape}({full_name:?}, {idempotent}, A::{})", method.name)
}

/// The file that an adapter includes: a module with what is in the contract's own package, whatever other packages it needs.
pub(crate) fn contract(package: &str) -> String {
    let package = Module::from_protobuf_package_name(package);
    let path: Vec<&str> = std::iter::once("packages").chain(package.parts()).collect();
    format!(
        "#[allow(missing_docs, unreachable_pub, dead_code, unused_imports, clippy::all)]\n\
         mod contract {{\n    mod packages {{\n        include!(concat!(env!(\"OUT_DIR\"), \"/packages.rs\"));\n    }}\n    \
         pub use {}::*;\n}}\n",
        path.join("::")
    )
}

fn line(text: &mut String, line: &str) {
    // Writing into a string does not fail.
    let _ = writeln!(text, "{line}");
}
