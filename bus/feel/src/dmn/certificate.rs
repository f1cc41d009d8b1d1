//! The certificate of a decision: what was asked of which model, what came out and by which rules, so that it can be done again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};

use crate::environment::Environment;
use crate::value::{Context, Value};

use super::model::{DecideError, Model, Run};
use super::trace::{self, Element, Survey};
use super::written::{self, Unwritten};

/// A decision with its reasons.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The model's name.
    pub model: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its version: see [`Model::version`].
    pub version: Arc<str>,
    /// The decision that was asked for.
    pub decision: Arc<str>,
    /// What `now()` told, if anything.
    pub now: Option<SystemTime>,
    /// Seconds east of UTC of its clock.
    pub offset_seconds: i32,
    /// The inputs that the decision can use.
    pub inputs: Context,
    /// The result.
    pub outcome: Value,
    /// What was not as it should be.
    pub warnings: Vec<String>,
    /// Decisions, calls and tables in the order in which they came to their end.
    pub steps: Vec<Step>,
    /// Steps beyond the first 10,000, which are not listed.
    pub steps_not_listed: usize,
}

/// One thing on the way to a result.
#[derive(Debug, Clone)]
pub enum Step {
    /// A decision, or the call of a knowledge model or service.
    Result {
        /// Which.
        element: Element,
        /// Its name.
        name: Arc<str>,
        /// Its id; may be empty.
        id: Arc<str>,
        /// The arguments of a call.
        arguments: Vec<(Arc<str>, Value)>,
        /// What came out.
        value: Value,
    },
    /// A decision table.
    Table {
        /// The name of the decision or knowledge model whose logic it is.
        name: Arc<str>,
        /// Its id; may be empty.
        id: Arc<str>,
        /// The columns' labels and values.
        inputs: Vec<(Arc<str>, Value)>,
        /// The rules whose outputs made the result; where the hit policy forbids what hit, those that did.
        hits: Vec<Hit>,
        /// Of the other rules, the one with the fewest columns against it (none: the hit policy preferred another), the first of these.
        runner_up: Option<Close>,
    },
}

/// A rule that made a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its row, from 1.
    pub row: usize,
    /// Its id; may be empty.
    pub id: Arc<str>,
    /// Its annotations, by the names of their columns.
    pub annotations: Vec<(Arc<str>, Arc<str>)>,
}

/// A rule that nearly made a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// Its row, from 1.
    pub row: usize,
    /// Its id; may be empty.
    pub id: Arc<str>,
    /// The labels of the columns that said no.
    pub against: Vec<Arc<str>>,
}

/// A certificate that does not hold, or is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is of another model, or of another version.
    #[error("the certificate is of model '{wanted}', not of '{found}'")]
    OtherModel {
        /// What the certificate says: namespace and version.
        wanted: String,
        /// What the model says.
        found: String,
    },
    /// Evaluated again, something differs.
    #[error("evaluated again, the decision gives other {0}")]
    Differs(String),
    /// Evaluated again, it gives no result.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The JSON is no certificate.
    #[error("this is no certificate: {0}")]
    Unreadable(String),
}

impl From<Unwritten> for CertificateError {
    fn from(error: Unwritten) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Model {
    /// Evaluates a decision as [`evaluate`](Self::evaluate) does, and certifies how. It looks at every rule of each table, and so
    /// takes longer.
    ///
    /// # Errors
    /// There is no such decision; a limit was met.
    pub fn certify(&self, decision: &str, inputs: &Context, environment: &Environment) -> Result<Certificate, DecideError> {
        let part = self.find(decision)?;
        let Run { value, warnings, trace } = self.run(part, inputs, environment, true)?;
        let trace = trace.map(|trace| *trace).unwrap_or_default();
        Ok(Certificate {
            model: self.name.clone(),
            namespace: self.namespace.clone(),
            version: self.version.clone(),
            decision: self.units[part].name.clone(),
            now: environment.now,
            offset_seconds: environment.offset_seconds,
            inputs: self.used(part, inputs),
            outcome: value,
            warnings,
            steps: trace.steps.into_iter().map(step).collect(),
            steps_not_listed: trace.lost,
        })
    }

    /// The inputs that a decision can use.
    fn used(&self, part: usize, inputs: &Context) -> Context {
        let unit = &self.units[part];
        let used = |name: &str| match self.data.get(name) {
            Some(part) => unit.inputs.contains(part) || unit.order.contains(part),
            // The inputs of an import, perhaps.
            None => self.data.keys().any(|known| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))),
        };
        inputs.iter().filter(|(name, _)| used(name)).cloned().collect()
    }
}

fn step(step: trace::Step) -> Step {
    match step {
        trace::Step::Result { element, name, id, arguments, value } => Step::Result { element, name, id, arguments, value },
        trace::Step::Table(Survey { table, inputs, rows, runner_up }) => {
            let label = |column: usize| table.inputs[column].label.clone();
            let hit = |row: usize| {
                let rule = &table.rules[row];
                let named = table.annotations.iter().cloned().chain(std::iter::repeat(Arc::from("")));
                let annotations = named.zip(rule.annotations.iter().cloned()).filter(|(_, text)| !text.is_empty()).collect();
                Hit { row: row + 1, id: rule.id.clone(), annotations }
            };
            Step::Table {
                name: table.name.clone(),
                id: table.id.clone(),
                inputs: inputs.into_iter().enumerate().map(|(column, value)| (label(column), value)).collect(),
                hits: rows.into_iter().map(hit).collect(),
                runner_up: runner_up.map(|close| Close {
                    row: close.row + 1,
                    id: table.rules[close.row].id.clone(),
                    against: close.against.into_iter().map(label).collect(),
                }),
            }
        }
    }
}

impl Certificate {
    /// Evaluates the decision again, with the same inputs at the same moment, and compares everything.
    ///
    /// # Errors
    /// The model is another one; something differs; a limit was met.
    pub fn verify(&self, model: &Model) -> Result<(), CertificateError> {
        self.is_of(model)?;
        let again = model.certify(&self.decision, &self.inputs, &self.environment())?;
        compare(&self.to_json(), &again.to_json())
    }

    fn is_of(&self, model: &Model) -> Result<(), CertificateError> {
        if (&self.namespace, &self.version) == (&model.namespace, &model.version) {
            return Ok(());
        }
        let written = |namespace: &str, version: &str| format!("{namespace} {version}").trim_end().to_owned();
        let (wanted, found) = (written(&self.namespace, &self.version), written(&model.namespace, &model.version));
        Err(CertificateError::OtherModel { wanted, found })
    }

    /// The moment of the decision, within the default limits.
    #[must_use]
    pub fn environment(&self) -> Environment {
        Environment { now: self.now, offset_seconds: self.offset_seconds, ..Environment::timeless() }
    }

    /// The certificate as JSON. Values that JSON has no form for are objects of one entry: `{"@date": "2026-01-31"}`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "model": &*self.model,
            "namespace": &*self.namespace,
            "version": &*self.version,
            "decision": &*self.decision,
            "now": self.now.map(moment),
            "offset_seconds": self.offset_seconds,
            "inputs": written::entries(&self.inputs),
            "outcome": written::value(&self.outcome),
            "warnings": self.warnings,
            "steps": self.steps.iter().map(step_json).collect::<Vec<_>>(),
            "steps_not_listed": self.steps_not_listed,
        })
    }

    /// A certificate from its JSON, verified: JSON does not tell a model's own values again, so the decision is made again, and is compared
    /// with all that the JSON says.
    ///
    /// # Errors
    /// It is no certificate, not of this model, or evaluated again something differs.
    pub fn from_json(json: &Json, model: &Model) -> Result<Self, CertificateError> {
        let text = |name: &str| -> Result<Arc<str>, CertificateError> {
            json[name].as_str().map(Arc::from).ok_or_else(|| CertificateError::Unreadable(format!("it has no text '{name}'")))
        };
        let now = match &json["now"] {
            Json::Null => None,
            now => Some(read_moment(now).ok_or_else(|| CertificateError::Unreadable("'now' is no moment".to_owned()))?),
        };
        let offset = json["offset_seconds"].as_i64().and_then(|offset| i32::try_from(offset).ok()).unwrap_or(0);
        let asked = Self {
            model: text("model")?,
            namespace: text("namespace")?,
            version: text("version")?,
            decision: text("decision")?,
            now,
            offset_seconds: offset,
            inputs: written::read_entries(&json["inputs"])?,
            outcome: Value::Null,
            warnings: Vec::new(),
            steps: Vec::new(),
            steps_not_listed: 0,
        };
        asked.is_of(model)?;
        let again = model.certify(&asked.decision, &asked.inputs, &asked.environment())?;
        compare(json, &again.to_json())?;
        Ok(again)
    }
}

/// What two certificates of one version of a model may differ in.
fn compare(said: &Json, found: &Json) -> Result<(), CertificateError> {
    const PARTS: [&str; 7] = ["model", "decision", "inputs", "outcome", "warnings", "steps", "steps_not_listed"];
    match PARTS.into_iter().find(|part| said[part] != found[part]) {
        Some(part) => Err(CertificateError::Differs(part.to_owned())),
        None => Ok(()),
    }
}

fn moment(now: SystemTime) -> Json {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    json!([since.as_secs(), since.subsec_nanos()])
}

fn read_moment(json: &Json) -> Option<SystemTime> {
    let (seconds, nanos) = (json[0].as_u64()?, u32::try_from(json[1].as_u64()?).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos.min(999_999_999)))
}

fn pairs(pairs: &[(Arc<str>, Value)]) -> Json {
    pairs.iter().map(|(name, value)| json!([&**name, written::value(value)])).collect()
}

fn step_json(step: &Step) -> Json {
    match step {
        Step::Result { element, name, id, arguments, value } => {
            let value = written::value(value);
            json!({ "step": element.to_string(), "name": &**name, "id": &**id, "arguments": pairs(arguments), "value": value })
        }
        Step::Table { name, id, inputs, hits, runner_up } => {
            let hit = |hit: &Hit| {
                let annotations: Vec<_> = hit.annotations.iter().map(|(name, text)| json!([&**name, &**text])).collect();
                json!({ "row": hit.row, "id": &*hit.id, "annotations": annotations })
            };
            let close = runner_up.as_ref().map(|close| {
                let against: Vec<&str> = close.against.iter().map(|label| &**label).collect();
                json!({ "row": close.row, "id": &*close.id, "against": against })
            });
            let hits: Vec<Json> = hits.iter().map(hit).collect();
            json!({ "step": "table", "name": &**name, "id": &**id, "inputs": pairs(inputs), "hits": hits, "runner_up": close })
        }
    }
}
