//! From a double's file to its answers: every operation compiled, every sample tried.

use std::path::{Path, PathBuf};

use passerelle_adapter::{Secrets, beside};
use passerelle_copybook::{Codec, Contract, ContractBuilder, LayoutError, Lock, models};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::answer::{Answers, Playable, Played};
use super::exchanges::{Recorder, Recording};
use super::spec::{Sample, Spec};
use super::wire::Wire;
use crate::contract::{self, read_text};
use crate::copybooks::Copybooks;
use crate::file::{File, FileError, Host, Operation};
use crate::kind::codecs;
use crate::rules::Constants;
use crate::transport;

/// What the answers are made of.
struct Play<'a> {
    /// The double's file.
    path: &'a Path,
    spec: &'a Spec,
    /// The integrator's file.
    file_path: PathBuf,
    file: File,
    copybooks: Copybooks,
}

/// Makes a double's answers ready, and checks every one of them.
pub(super) fn prepare(path: &Path, secrets: &dyn Secrets) -> Result<(Wire, Answers), FileError> {
    let spec = &Spec::read(path)?;
    let file_path = beside(path, &spec.file);
    let file = File::parse(&file_path, &read_text(&file_path)?)?;
    let copybooks = Copybooks::read(&file_path, &file)?;
    let play = Play { path, spec, file_path, file, copybooks };

    let (name, host) = play.host()?;
    let operations = play.operations(&name)?;
    let replay = spec.replay.as_ref().map(|recording| Recording::read(&beside(path, recording))).transpose()?;
    let record = match &spec.record {
        None => None,
        Some(recording) => {
            let real = transport::start(&play.file_path, host, play.file.codec.code_page, secrets)
                .map_err(|problem| FileError::whole(path, format!("host {name}: {problem}")))?;
            Some((Recorder::open(&beside(path, recording))?, real))
        }
    };
    let wire = Wire::of(host, play.file.codec.code_page);
    Ok((wire, Answers { host: name, operations, replay, record }))
}

impl Play<'_> {
    /// The host to play: the named one, or the only one.
    fn host(&self) -> Result<(String, &Host), FileError> {
        let hosts = &self.file.hosts;
        let names = || hosts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let whole = |message: String| FileError::whole(self.path, message);
        let name = match &self.spec.host {
            Some(name) => name.clone(),
            None if hosts.len() == 1 => names(),
            None => return Err(whole(format!("say which host to play with `host:`, one of: {}", names()))),
        };
        let host = hosts.get(&name).ok_or_else(|| whole(format!("unknown host `{name}`, there are: {}", names())))?;
        Ok((name, &host.value))
    }

    fn operations(&self, host: &str) -> Result<Vec<Played>, FileError> {
        let on_host = |operation: &Operation| self.file.host_of(operation) == Some(host);
        let there: Vec<_> = self.file.operations.iter().filter(|(_, operation)| on_host(&operation.value)).collect();
        if let Some(unknown) = self.spec.answers.keys().find(|name| !there.iter().any(|(known, _)| known == name)) {
            let names = there.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(FileError::whole(self.path, format!("answers: unknown operation `{unknown}`, host {host} has: {names}")));
        }
        let contract = contract::build(&self.file_path, &self.file, &self.copybooks, Lock::default())?;
        there.into_iter().map(|(name, operation)| self.operation(&contract, name, operation)).collect()
    }

    fn operation(&self, contract: &Contract, name: &str, operation: &Spanned<Operation>) -> Result<Played, FileError> {
        let Self { path, spec, file_path, file, copybooks } = self;
        let here = |problem: String| FileError::at(file_path, operation.referenced, format!("operation {name}: {problem}"));
        let (request, _) = codecs(file, copybooks, contract, name, &operation.value).map_err(here)?;
        let record = copybooks.record(&operation.value.request).map_err(|error| here(error.to_string()))?;
        let constants = Constants::compile(&operation.value.request.set, record, &file.codec).map_err(here)?;
        let samples = spec.answers.get(name).map(Vec::as_slice).unwrap_or_default().iter().map(|sample| {
            self.sample(&operation.value, &sample.value)
                .map_err(|problem| FileError::at(path, sample.referenced, format!("{name}: {problem}")))
        });
        Ok(Played {
            name: name.to_owned(),
            trancode: operation.value.trancode.clone(),
            timeout: operation.value.timeout(),
            constants,
            request,
            samples: samples.collect::<Result<_, _>>()?,
        })
    }

    /// Compiles a sample's own plan, with its constants, and tries it.
    fn sample(&self, operation: &Operation, sample: &Sample) -> Result<Playable, String> {
        let response = self.response(operation, sample).map_err(|error| error.to_string())?;
        if let Some(reply) = &sample.reply {
            response.encode_json(&Value::Object(reply.clone())).map_err(|error| error.to_string())?;
        }
        Ok(Playable { sample: sample.clone(), response })
    }

    fn response(&self, operation: &Operation, sample: &Sample) -> Result<Codec, LayoutError> {
        let mut rules = operation.response.clone();
        rules.exclude.retain(|name| !sample.set.contains_key(name));
        rules.set.extend(sample.set.clone());

        let request = (self.copybooks.record(&operation.request)?, &operation.request);
        let record = self.copybooks.record(&operation.response)?;
        let (request, response) = models("Sample", request, (record, &rules), &operation.fields)?;
        let unnumbered = |message: String| LayoutError { item: record.name.clone(), message };
        // The sample's field numbers are its own: it is written from JSON, by names.
        let contract = ContractBuilder::new(&self.file.contract.package, &self.file.contract.service, Lock::default())
            .operation("Sample", &request, &response)
            .finish()
            .map_err(|error| unnumbered(error.to_string()))?;
        let message = contract.response("Sample").ok_or_else(|| unnumbered("the sample has no message".into()))?;
        Codec::compile(record, message, &self.file.codec)
    }
}
