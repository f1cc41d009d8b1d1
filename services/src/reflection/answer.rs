//! Answers the questions of one reflection stream.

use std::collections::BTreeSet;
use std::sync::Arc;

use tonic::Code;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse, ServerReflectionRequest,
    ServerReflectionResponse, ServiceResponse,
};

use super::catalogue::{Catalogue, Shelf};

/// Bytes up to which a file's imports are sent along: well below the 4 MiB that gRPC clients take by default.
const MAX_BYTES_WITH_IMPORTS: usize = 1024 * 1024;

/// One client's questions, in order.
///
/// Two contracts may bring different files of the same name, so the session remembers in which image it last found a
/// symbol and answers questions for files from there first: a client that asks for a service and then for its imports
/// gets one consistent set.
pub(super) struct Session {
    catalogue: Arc<Catalogue>,
    reading: Option<Shelf>,
}

/// Why there is no answer.
struct Refusal {
    code: Code,
    message: String,
}

impl Session {
    pub(super) fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue, reading: None }
    }

    pub(super) fn answer(&mut self, question: ServerReflectionRequest) -> ServerReflectionResponse {
        let answer = match question.message_request.clone() {
            Some(MessageRequest::ListServices(_)) => Ok(self.services()),
            Some(MessageRequest::FileByFilename(name)) => self.file(&name),
            Some(MessageRequest::FileContainingSymbol(symbol)) => self.symbol(&symbol),
            Some(MessageRequest::FileContainingExtension(wanted)) => {
                self.extension(&wanted.containing_type, wanted.extension_number)
            }
            Some(MessageRequest::AllExtensionNumbersOfType(name)) => self.extension_numbers(name),
            None => Err(Refusal { code: Code::InvalidArgument, message: "the request asks nothing".to_owned() }),
        };
        let answer = answer.unwrap_or_else(|refusal| {
            MessageResponse::ErrorResponse(ErrorResponse { error_code: refusal.code.into(), error_message: refusal.message })
        });
        ServerReflectionResponse {
            valid_host: question.host.clone(),
            original_request: Some(question),
            message_response: Some(answer),
        }
    }

    fn services(&self) -> MessageResponse {
        let services = self.catalogue.services().into_iter().map(|name| ServiceResponse { name });
        MessageResponse::ListServicesResponse(ListServiceResponse { service: services.collect() })
    }

    fn file(&mut self, name: &str) -> Result<MessageResponse, Refusal> {
        let shelf = self.look(|shelf| shelf.image().file(name).is_some());
        let shelf = shelf.ok_or_else(|| not_found("file", name))?;
        let file = shelf.image().file(name).ok_or_else(|| not_found("file", name))?;
        Ok(files([file.bytes.to_vec()].into()))
    }

    fn symbol(&mut self, symbol: &str) -> Result<MessageResponse, Refusal> {
        let symbol = symbol.strip_prefix('.').unwrap_or(symbol);
        let shelf = self.catalogue.offering(symbol).or_else(|| self.look(|shelf| shelf.defining(symbol).is_some()));
        let shelf = shelf.ok_or_else(|| not_found("symbol", symbol))?;
        let file = shelf.defining(symbol).ok_or_else(|| not_found("symbol", symbol))?;
        let found = shelf.with_imports(file, MAX_BYTES_WITH_IMPORTS);
        let answer = files(found.into_iter().map(|file| file.bytes.to_vec()).collect());
        self.reading = Some(shelf);
        Ok(answer)
    }

    fn extension(&mut self, extendee: &str, number: i32) -> Result<MessageResponse, Refusal> {
        let what = format!("{extendee} with number {number}");
        let number = u32::try_from(number).map_err(|_| not_found("extension of", &what))?;
        let shelf = self.look(|shelf| shelf.extending(extendee, number).is_some());
        let shelf = shelf.ok_or_else(|| not_found("extension of", &what))?;
        let file = shelf.extending(extendee, number).ok_or_else(|| not_found("extension of", &what))?;
        let found = shelf.with_imports(file, MAX_BYTES_WITH_IMPORTS);
        let answer = files(found.into_iter().map(|file| file.bytes.to_vec()).collect());
        self.reading = Some(shelf);
        Ok(answer)
    }

    /// Extensions of one message may come from every contract (custom options do).
    fn extension_numbers(&self, name: String) -> Result<MessageResponse, Refusal> {
        let shelves = self.catalogue.shelves();
        let messages: Vec<_> = shelves.iter().filter_map(|shelf| shelf.image().pool().get_message_by_name(&name)).collect();
        if messages.is_empty() {
            return Err(not_found("message", &name));
        }
        let extensions = messages.iter().flat_map(|message| message.extensions().collect::<Vec<_>>());
        let numbers: BTreeSet<i32> = extensions.filter_map(|extension| i32::try_from(extension.number()).ok()).collect();
        let extension_number = numbers.into_iter().collect();
        Ok(MessageResponse::AllExtensionNumbersResponse(ExtensionNumberResponse { base_type_name: name, extension_number }))
    }

    /// The first image that fits, the one that is being read before all others.
    fn look(&self, fits: impl Fn(&Shelf) -> bool) -> Option<Shelf> {
        let reading = self.reading.iter().cloned();
        reading.chain(self.catalogue.shelves()).find(|shelf| fits(shelf))
    }
}

fn files(file_descriptor_proto: Vec<Vec<u8>>) -> MessageResponse {
    MessageResponse::FileDescriptorResponse(FileDescriptorResponse { file_descriptor_proto })
}

fn not_found(what: &str, name: &str) -> Refusal {
    Refusal { code: Code::NotFound, message: format!("no {what} {name} here") }
}
