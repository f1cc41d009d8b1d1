//! What a law works with: the adapter, examples of its traffic, the proxy before the system behind, and all faults that were heard.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use passerelle_adapter::{Adapter, Call, Context, Fault, Health, Messages};
use serde_json::{Map, Value};

use crate::contract::{Contracts, count, missing};
use crate::law::{Finding, Need, broken};
use crate::proxy::{Disturbance, Proxy};
use crate::subject::{EffectExample, Example, Opened, Refused, Subject, SubjectFile};
use crate::wire::Wire;

/// What a law waits for one answer at most before it calls it a hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a system behind that came back may be taken for dead.
const RECOVERY: Duration = Duration::from_secs(10);
/// Calls at once that every adapter without a declared limit must carry.
const AT_ONCE: usize = 8;
/// Between attempts of what must come to work.
const AGAIN: Duration = Duration::from_millis(50);

/// Shared by the laws of a run, which come one after another.
#[derive(Clone)]
pub(crate) struct Bench(Arc<Inside>);

struct Inside {
    subject: Arc<dyn Subject>,
    proxy: Option<Proxy>,
    settings: String,
    opened: Mutex<Arc<Opened>>,
    contracts: Contracts,
    /// Whether a law has drained, killed or reconfigured the adapter.
    is_spent: AtomicBool,
    heard: Mutex<Vec<String>>,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The messages that came.
    pub(crate) messages: Vec<Bytes>,
    /// The fault that ended it, if one did.
    pub(crate) fault: Option<Fault>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Bench {
    /// Starts and opens the subject, with the proxy before the system behind.
    pub(crate) async fn open(subject: Arc<dyn Subject>) -> Result<Self, Finding> {
        let file = subject.file();
        let proxy = match &file.behind {
            Some(behind) => Some(
                Proxy::start(behind).await.map_err(|error| Finding::NotProven(format!("the proxy cannot listen: {error}")))?,
            ),
            None => None,
        };
        let mut settings = Value::Object(file.settings.clone()).to_string();
        if let (Some(behind), Some(proxy)) = (&file.behind, &proxy) {
            settings = settings.replace(behind.as_str(), &proxy.address().to_string());
        }
        subject.start().await.map_err(|error| Finding::Broken(format!("it does not start: {error}")))?;
        let opened = subject.configure(&settings).await;
        let opened = opened.map_err(|refused| Finding::Broken(format!("it does not take its settings: {refused}")))?;
        // What does not compile is told by its law; without it, there are no methods.
        let contracts = Contracts::compile(&opened.adapter.descriptor().contracts).unwrap_or_default();
        Ok(Self(Arc::new(Inside {
            subject,
            proxy,
            settings,
            opened: Mutex::new(Arc::new(opened)),
            contracts,
            is_spent: AtomicBool::new(false),
            heard: Mutex::default(),
        })))
    }

    pub(crate) fn file(&self) -> &SubjectFile {
        self.0.subject.file()
    }

    pub(crate) fn subject(&self) -> &dyn Subject {
        &*self.0.subject
    }

    pub(crate) fn contracts(&self) -> &Contracts {
        &self.0.contracts
    }

    pub(crate) fn settings(&self) -> &str {
        &self.0.settings
    }

    pub(crate) fn opened(&self) -> Arc<Opened> {
        Arc::clone(&self.0.opened.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn adapter(&self) -> Arc<dyn Adapter> {
        Arc::clone(&self.opened().adapter)
    }

    /// The way to it over the wire.
    pub(crate) fn wire(&self) -> Result<&Wire, Finding> {
        self.0.subject.wire().ok_or_else(|| Finding::NotAsked(Need::Wire.not_asked().to_owned()))
    }

    /// The proxy before the system behind.
    pub(crate) fn proxy(&self) -> Result<&Proxy, Finding> {
        let proxy = self.0.proxy.as_ref();
        proxy.ok_or_else(|| Finding::NotProven(Need::Behind.to_give().unwrap_or_default().to_owned()))
    }

    /// Tells the proxy what to do, if there is one.
    pub(crate) async fn disturb(&self, disturbance: Disturbance) {
        if let Some(proxy) = &self.0.proxy {
            proxy.tell(disturbance).await;
        }
    }

    /// Starts and opens the adapter anew, on the same system behind; the one before is killed.
    pub(crate) async fn renew(&self) -> Result<(), Finding> {
        self.start_anew().await?;
        self.configure(self.settings()).await.map_err(|refused| Finding::Broken(format!("started anew: {refused}")))
    }

    /// Starts the adapter anew, without settings.
    pub(crate) async fn start_anew(&self) -> Result<(), Finding> {
        if !self.subject().gives(Need::Renewal) {
            return Err(Finding::NotProven(Need::Renewal.to_give().unwrap_or_default().to_owned()));
        }
        self.spend();
        self.subject().start().await.map_err(|error| Finding::Broken(format!("it does not start anew: {error}")))
    }

    /// Hands settings over; the adapter that they give takes the place of the one before.
    pub(crate) async fn configure(&self, settings: &str) -> Result<(), Refused> {
        let opened = self.subject().configure(settings).await.inspect_err(|refused| self.hear(&refused.message))?;
        *self.0.opened.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(opened);
        Ok(())
    }

    /// The adapter is not to be used by other laws as it is now.
    pub(crate) fn spend(&self) {
        self.0.is_spent.store(true, Ordering::SeqCst);
    }

    /// As it should be before each law: carried by the proxy, and opened anew if a law has spent it.
    pub(crate) async fn restore(&self) -> Result<(), Finding> {
        self.disturb(Disturbance::None).await;
        if self.0.is_spent.load(Ordering::SeqCst) && self.subject().gives(Need::Renewal) {
            self.renew().await?;
            self.0.is_spent.store(false, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Keeps what was said to people, for the laws of secrets.
    pub(crate) fn hear(&self, words: &str) {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner).push(words.to_owned());
    }

    /// All that was said to people so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Protobuf bytes of an example's request.
    pub(crate) fn request(&self, method: &str, json: &Map<String, Value>) -> Result<Bytes, Finding> {
        self.contracts().request(method, json).map_err(|error| Finding::NotProven(format!("correct the subject file: {error}")))
    }

    /// Begins a call.
    pub(crate) async fn begin(
        &self,
        method: &str,
        messages: Messages,
        context: Context,
    ) -> Result<Result<Messages, Fault>, Finding> {
        let call = Call { method: method.to_owned(), messages, context };
        let adapter = self.adapter();
        match tokio::time::timeout(PATIENCE, adapter.call(call)).await {
            Ok(Err(fault)) => {
                self.hear(&fault.to_string());
                Ok(Err(fault))
            }
            Ok(answer) => Ok(answer),
            Err(_) => broken(format!("a call of {method} hangs: nothing came in {} s", PATIENCE.as_secs())),
        }
    }

    /// Carries a call to its end.
    pub(crate) async fn send(&self, method: &str, messages: Messages, context: Context) -> Result<Ended, Finding> {
        let begin = Instant::now();
        let mut ended = Ended { messages: Vec::new(), fault: None, took: Duration::ZERO };
        match self.begin(method, messages, context).await? {
            Err(fault) => ended.fault = Some(fault),
            Ok(mut answer) => {
                while let Some(message) = self.next(method, &mut answer).await? {
                    match message {
                        Ok(message) => ended.messages.push(message),
                        Err(fault) => {
                            ended.fault = Some(fault);
                            break;
                        }
                    }
                }
            }
        }
        ended.took = begin.elapsed();
        Ok(ended)
    }

    /// The next message of an answer.
    pub(crate) async fn next(&self, method: &str, answer: &mut Messages) -> Result<Option<Result<Bytes, Fault>>, Finding> {
        match tokio::time::timeout(PATIENCE, answer.next()).await {
            Ok(next) => {
                if let Some(Err(fault)) = &next {
                    self.hear(&fault.to_string());
                }
                Ok(next)
            }
            Err(_) => broken(format!("an answer of {method} hangs: nothing came in {} s", PATIENCE.as_secs())),
        }
    }

    /// A unary call with bytes.
    pub(crate) async fn ask_bytes(&self, method: &str, request: impl Into<Bytes>, context: Context) -> Result<Ended, Finding> {
        self.send(method, Messages::one(request), context).await
    }

    /// A unary call with JSON.
    pub(crate) async fn ask(&self, method: &str, json: &Map<String, Value>, context: Context) -> Result<Ended, Finding> {
        let request = self.request(method, json)?;
        self.ask_bytes(method, request, context).await
    }

    /// How many calls at once must be carried: eight, or as many as the adapter declares.
    pub(crate) fn at_once(&self) -> usize {
        match self.opened().limits.calls {
            0 => AT_ONCE,
            calls => AT_ONCE.min(calls as usize),
        }
    }

    /// The first example of a good call.
    pub(crate) fn good(&self) -> Result<Example, Finding> {
        let first = self.file().calls.first().cloned();
        first.ok_or_else(|| Finding::NotProven(Need::Call.to_give().unwrap_or_default().to_owned()))
    }

    /// Makes an example's call, and holds its answer against the example.
    pub(crate) async fn right(&self, example: &Example) -> Result<Ended, Finding> {
        let ended = self.ask(&example.method, &example.request, Context::default()).await?;
        self.is_right(example, &ended)?;
        Ok(ended)
    }

    /// Whether a call was answered as the example says.
    pub(crate) fn is_right(&self, example: &Example, ended: &Ended) -> Result<(), Finding> {
        if let Some(fault) = &ended.fault {
            return broken(format!("a good call of {} is answered with {}", example.method, named(fault)));
        }
        let [answer] = ended.messages.as_slice() else {
            return broken(format!("a good call of {} is answered with {} messages", example.method, ended.messages.len()));
        };
        let answer = self.contracts().answer(&example.method, answer).map_err(Finding::Broken)?;
        match missing(&Value::Object(example.answer.clone()), &answer, "") {
            Some(path) => broken(format!("the answer of {} is not the example's at `{path}`", example.method)),
            None => Ok(()),
        }
    }

    /// That the adapter still works, after what a law has done to it. A connection that was broken may cost it one call.
    pub(crate) async fn works_on(&self, after: &str) -> Result<(), Finding> {
        let Ok(example) = self.good() else {
            // Without an example: it must answer at all.
            self.ask_bytes("kit.NoSuchService/None", Bytes::new(), Context::default()).await?;
            return Ok(());
        };
        let begin = Instant::now();
        loop {
            let ended = self.ask(&example.method, &example.request, Context::default()).await?;
            match (self.is_right(&example, &ended), &ended.fault) {
                (Ok(()), _) => return Ok(()),
                (Err(_), Some(Fault::Unavailable { .. } | Fault::Unknown { .. } | Fault::Throttled { .. }))
                    if begin.elapsed() < RECOVERY =>
                {
                    tokio::time::sleep(AGAIN).await;
                }
                (Err(Finding::Broken(seen)), _) => return broken(format!("{after}, it does not work any more: {seen}")),
                (Err(other), _) => return Err(other),
            }
        }
    }

    /// How many effects there are.
    pub(crate) async fn effects(&self, effect: &EffectExample) -> Result<i64, Finding> {
        let proof = &effect.proof;
        let ended = self.ask(&proof.method, &proof.request, Context::default()).await?;
        let [answer] = ended.messages.as_slice() else {
            let seen = ended.fault.as_ref().map_or("no single message".to_owned(), named);
            return Err(Finding::Broken(format!("the proof of effects, {}, is answered with {seen}", proof.method)));
        };
        let answer = self.contracts().answer(&proof.method, answer).map_err(Finding::Broken)?;
        let number = count(&answer, &proof.path);
        let wrong = || format!("correct the subject file: effect.proof.path: `{}` is neither a number nor a list", proof.path);
        number.map(|number| number / proof.grows_by).ok_or_else(|| Finding::NotProven(wrong()))
    }

    /// The adapter's health; it must come in time.
    pub(crate) async fn health(&self, within: Duration) -> Result<Health, Finding> {
        let adapter = self.adapter();
        let Ok(health) = tokio::time::timeout(within, adapter.health()).await else {
            return broken(format!("health has not answered within {} ms", within.as_millis()));
        };
        if let Health::Degraded { reason } | Health::Down { reason } = &health {
            self.hear(reason);
        }
        Ok(health)
    }
}

/// A fault's class, with what it says. Only its class and the beginning of its words: the whole is for the adapter's log.
pub(crate) fn named(fault: &Fault) -> String {
    let class = match fault {
        Fault::Rejected { reason, .. } => return format!("Rejected ({reason:?}): {}", beginning(&fault.to_string())),
        Fault::Throttled { .. } => "Throttled",
        Fault::Unavailable { .. } => "Unavailable",
        Fault::Unauthenticated { .. } => "Unauthenticated",
        Fault::DeadlineExceeded { .. } => "DeadlineExceeded",
        Fault::Unknown { .. } => "Unknown",
        Fault::Unimplemented { .. } => "Unimplemented",
    };
    format!("{class}: {}", beginning(&fault.to_string()))
}

fn beginning(text: &str) -> String {
    let mut short: String = text.chars().take(160).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
