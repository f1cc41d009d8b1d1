//! All patterns of the route files, compiled.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use passerelle_proto::bus::v1::Message;
use serde_saphyr::Spanned;

use super::aggregate::Aggregate;
use super::ask::{Gather, Late, Reply};
use super::recipients::{Detour, Recipients, Tap};
use super::resequence::Resequence;
use super::rule::{Names, Rule, name, values};
use super::split::Split;
use super::step::identity;
use super::written::{self, Bounds, Pattern, RequestReply, ScatterGather};
use crate::route::{Problem, Refused, Sources};
use crate::written::place;

/// Patterns of one bus: each reads the journal by itself.
const MOST: usize = 100;
/// Bytes of a name; with the key it is a key of the journal.
const LONGEST_NAME: usize = 50;
/// Bytes of what belongs together.
const LONGEST_KEY: usize = 200;
/// Who may be asked the same.
const MOST_ASKED: usize = 100;
/// Where the order does not matter, messages are decided about in so many lanes.
const LANES: u64 = 64;

/// All patterns, by their names.
#[derive(Debug, Default)]
pub struct Set(BTreeMap<String, Declared>);

/// One pattern, compiled.
#[derive(Debug)]
pub(super) struct Declared {
    types: Types,
    /// Of those that ask.
    answers: Option<Types>,
    when: Option<Rule>,
    by: Option<Rule>,
    pub(super) kind: Kind,
}

/// What it does.
#[derive(Debug)]
pub(super) enum Kind {
    Aggregate(Aggregate),
    Split(Split),
    Resequence(Resequence),
    Tap(Tap),
    Recipients(Recipients),
    Gather(Gather),
    Reply(Reply),
    Detour(Detour),
}

/// Types of messages, exactly or by their beginnings.
#[derive(Debug, Default)]
struct Types {
    exact: Vec<String>,
    beginnings: Vec<String>,
}

/// How a pattern says what it does.
type IsSaid = fn(&Pattern) -> bool;

/// All that a pattern may do.
const KINDS: [(&str, IsSaid); 8] = [
    ("aggregate", |pattern| pattern.aggregate.is_some()),
    ("split", |pattern| pattern.split.is_some()),
    ("resequence", |pattern| pattern.resequence.is_some()),
    ("tap", |pattern| pattern.tap.is_some()),
    ("recipients", |pattern| pattern.recipients.is_some()),
    ("scatter_gather", |pattern| pattern.scatter_gather.is_some()),
    ("request_reply", |pattern| pattern.request_reply.is_some()),
    ("detour", |pattern| pattern.detour.is_some()),
];

/// A pattern while it is compiled.
struct Bench<'a> {
    file: &'a str,
    pattern: &'a Pattern,
    problems: &'a mut Vec<Problem>,
}

impl Set {
    /// Compiles the patterns of all files.
    ///
    /// # Errors
    /// All that is wrong, by file, line and column.
    pub fn compile(sources: &Sources) -> Result<Self, Refused> {
        let (mut problems, mut all, mut places) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (file, pattern) in sources.patterns() {
            let mut bench = Bench { file, pattern, problems: &mut problems };
            bench.look_at_name();
            let (name, here) = (pattern.name.value.clone(), place(file, &pattern.name));
            if let Some(other) = places.insert(name.clone(), here) {
                bench.problem(&pattern.name, format!("{other} has the same name"));
            }
            if let Some(declared) = bench.declared() {
                all.insert(name, declared);
            }
        }
        if places.len() > MOST {
            let message = format!("{} patterns, at most {MOST} are taken", places.len());
            problems.push(Problem { place: "the route files".to_owned(), route: String::new(), message });
        }
        Refused::unless_none(problems)?;
        Ok(Self(all))
    }

    /// Their names.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn find(&self, name: &str) -> Option<&Declared> {
        self.0.get(name)
    }
}

impl Declared {
    /// Whether it takes the message.
    pub(super) fn takes(&self, message: &Message, now: SystemTime) -> bool {
        let asks = || self.types.fit(&message.r#type) && self.when.as_ref().is_none_or(|when| when.holds(&values(message), now));
        self.is_answer(message) || asks()
    }

    /// Whether it is an answer to what the pattern asked.
    pub(super) fn is_answer(&self, message: &Message) -> bool {
        self.answers.as_ref().is_some_and(|answers| answers.fit(&message.r#type))
    }

    /// Whether it can be switched.
    pub(super) fn is_detour(&self) -> bool {
        matches!(self.kind, Kind::Detour(_))
    }

    /// What the message belongs to.
    pub(super) fn key(&self, message: &Message, now: SystemTime) -> Result<String, String> {
        if self.is_answer(message) {
            let known = (1..=LONGEST_KEY).contains(&message.correlation_id.len());
            let why = || "it has no `correlation_id` that names what it answers".to_owned();
            return known.then(|| message.correlation_id.clone()).ok_or_else(why);
        }
        let Some(by) = &self.by else {
            // A request is a conversation of its own.
            let asked = || identity(&[&message.source, &message.id]);
            return Ok(if self.answers.is_some() { asked() } else { lane(message) });
        };
        let named = by.value(&values(message), now).and_then(|value| name(&value, LONGEST_KEY));
        named.map_err(|why| format!("its `by`: {why}"))
    }
}

/// Where nothing belongs together: what keeps the order of a customer, or of a subject.
fn lane(message: &Message) -> String {
    let named = [&message.customer, &message.subject].into_iter().find(|name| !name.is_empty());
    match named {
        Some(name) => identity(&[name]),
        None => {
            let number = u64::from_str_radix(&identity(&[&message.source, &message.id])[..8], 16).unwrap_or_default();
            format!("{}", number % LANES)
        }
    }
}

impl Kind {
    /// How long a key that holds nothing is still of use.
    pub(super) fn rest(&self) -> Duration {
        match self {
            Self::Resequence(resequence) => resequence.forget,
            Self::Reply(reply) => reply.late.as_ref().map_or(Duration::ZERO, |late| late.within),
            _ => Duration::ZERO,
        }
    }
}

impl Types {
    fn new(names: &[String]) -> Result<Self, String> {
        let mut types = Self::default();
        for name in names {
            match name.strip_suffix('*') {
                _ if name.is_empty() || name.len() > 256 => return Err("a type has 1 to 256 bytes".to_owned()),
                Some(beginning) if !beginning.contains('*') => types.beginnings.push(beginning.to_owned()),
                None if !name.contains('*') => types.exact.push(name.clone()),
                _ => return Err(format!("`{name}` has a `*` that is not at its end; only a final one is understood")),
            }
        }
        if names.is_empty() { Err("it needs a type".to_owned()) } else { Ok(types) }
    }

    fn fit(&self, r#type: &str) -> bool {
        self.exact.iter().any(|exact| exact == r#type)
            || self.beginnings.iter().any(|beginning| r#type.starts_with(beginning.as_str()))
    }
}

impl Bench<'_> {
    fn look_at_name(&mut self) {
        let name = &self.pattern.name;
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=LONGEST_NAME).contains(&name.value.len()) || !name.value.bytes().all(is_sign) {
            self.problem(name, format!("a pattern's name has 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`"));
        }
    }

    /// The pattern, as far as it is right.
    fn declared(&mut self) -> Option<Declared> {
        let pattern = self.pattern;
        let types = Types::new(&pattern.from.value.0).map_err(|why| self.problem(&pattern.from, format!("from: {why}")));
        let when = self.optional(pattern.when.as_ref(), "when", Names::Message);
        let answers = match (&pattern.scatter_gather, &pattern.request_reply) {
            (Some(ScatterGather { answers, .. }), _) | (_, Some(RequestReply { answers, .. })) => {
                Some(Types::new(&answers.value.0).map_err(|why| self.problem(answers, format!("answers: {why}"))).ok()?)
            }
            _ => None,
        };
        let (by, kind) = self.kind()?;
        Some(Declared { types: types.ok()?, answers, when: when?, by, kind })
    }

    fn kind(&mut self) -> Option<(Option<Rule>, Kind)> {
        let said = KINDS.iter().filter(|(_, is_said)| is_said(self.pattern)).count();
        if said != 1 {
            let kinds: Vec<String> = KINDS.iter().map(|(kind, _)| format!("`{kind}`")).collect();
            self.problem(&self.pattern.name, format!("it needs one of {}, and only one", kinds.join(", ")));
            return None;
        }
        let Pattern { aggregate, split, resequence, tap, recipients, scatter_gather, request_reply, detour, .. } = self.pattern;
        let by = match (aggregate, resequence) {
            (Some(written), _) => Some(self.rule(&written.by, "aggregate.by", Names::Message)?),
            (_, Some(written)) => Some(self.rule(&written.by, "resequence.by", Names::Message)?),
            _ => None,
        };
        let kind = aggregate.as_ref().and_then(|written| self.aggregate(written).map(Kind::Aggregate));
        let kind = kind.or_else(|| self.split(split.as_ref()?).map(Kind::Split));
        let kind = kind.or_else(|| self.resequence(resequence.as_ref()?).map(Kind::Resequence));
        let kind = kind.or_else(|| Some(Kind::Tap(Tap { to: self.r#type(&tap.as_ref()?.to, "tap.to")? })));
        let kind = kind.or_else(|| {
            let list = self.rule(&recipients.as_ref()?.list, "recipients.list", Names::Message)?;
            Some(Kind::Recipients(Recipients { list }))
        });
        let kind = kind.or_else(|| self.gather(scatter_gather.as_ref()?).map(Kind::Gather));
        let kind = kind.or_else(|| self.reply(request_reply.as_ref()?).map(Kind::Reply));
        let kind = kind.or_else(|| self.detour(detour.as_ref()?).map(Kind::Detour));
        Some((by, kind?))
    }

    fn gather(&mut self, written: &ScatterGather) -> Option<Gather> {
        let ScatterGather { to, within_seconds, incomplete, limits, publish, .. } = written;
        if !(1..=MOST_ASKED).contains(&to.len()) {
            self.problem(&self.pattern.name, format!("scatter_gather.to: {} types, 1 to {MOST_ASKED} are taken", to.len()));
        }
        let to: Option<Vec<String>> = to.iter().map(|to| self.r#type(to, "scatter_gather.to")).collect();
        let data = self.optional(publish.data.as_ref(), "scatter_gather.publish.data", Names::Parts);
        let within = self.seconds(*within_seconds, "scatter_gather.within_seconds");
        let bounds = self.bounds(*limits, "scatter_gather.limits");
        let r#type = self.r#type(&publish.r#type, "scatter_gather.publish.type");
        Some(Gather { to: to?, within: within?, incomplete: *incomplete, bounds: bounds?, r#type: r#type?, data: data? })
    }

    fn reply(&mut self, written: &RequestReply) -> Option<Reply> {
        let within = self.seconds(written.within_seconds, "request_reply.within_seconds");
        let to = self.r#type(&written.to, "request_reply.to");
        let answered = self.r#type(&written.answered, "request_reply.answered");
        let unanswered = self.r#type(&written.unanswered, "request_reply.unanswered");
        let late = written.late.as_ref().map(|late| {
            let to = self.r#type(&late.to, "request_reply.late.to");
            let within = self.seconds(late.within_seconds, "request_reply.late.within_seconds");
            Some(Late { to: to?, channel: late.channel.clone(), within: within? })
        });
        let late = late.map_or(Some(None), |late| late.map(Some));
        Some(Reply { to: to?, within: within?, answered: answered?, unanswered: unanswered?, late: late? })
    }

    fn detour(&mut self, written: &written::Detour) -> Option<Detour> {
        let to = self.r#type(&written.to, "detour.to");
        let through = self.r#type(&written.through, "detour.through");
        Some(Detour { to: to?, through: through? })
    }

    fn aggregate(&mut self, written: &written::Aggregate) -> Option<Aggregate> {
        let written::Aggregate { count, until, within_seconds, incomplete, limits, publish, .. } = written;
        let count = count.as_ref().map(|count| Spanned {
            value: count.value.expression(),
            referenced: count.referenced,
            defined: count.defined,
        });
        let count = self.optional(count.as_ref(), "aggregate.count", Names::Message);
        let until = self.optional(until.as_ref(), "aggregate.until", Names::Parts);
        let data = self.optional(publish.data.as_ref(), "aggregate.publish.data", Names::Parts);
        let within = self.seconds(*within_seconds, "aggregate.within_seconds");
        let bounds = self.bounds(*limits, "aggregate.limits");
        let r#type = self.r#type(&publish.r#type, "aggregate.publish.type");
        let incomplete = *incomplete;
        Some(Aggregate {
            count: count?,
            until: until?,
            within: within?,
            incomplete,
            bounds: bounds?,
            r#type: r#type?,
            data: data?,
        })
    }

    fn split(&mut self, written: &written::Split) -> Option<Split> {
        let list = self.rule(&written.list, "split.list", Names::Message);
        let data = self.optional(written.publish.data.as_ref(), "split.publish.data", Names::Item);
        let bounds = self.bounds(written.limits, "split.limits");
        let r#type = self.r#type(&written.publish.r#type, "split.publish.type");
        Some(Split { list: list?, bounds: bounds?, r#type: r#type?, data: data? })
    }

    fn resequence(&mut self, written: &written::Resequence) -> Option<Resequence> {
        let written::Resequence { number, within_seconds, incomplete, forget_seconds, limits, to, .. } = written;
        let number = self.rule(number, "resequence.number", Names::Message);
        let within = self.seconds(*within_seconds, "resequence.within_seconds");
        let forget = self.seconds(*forget_seconds, "resequence.forget_seconds");
        let bounds = self.bounds(*limits, "resequence.limits");
        let to = self.r#type(to, "resequence.to");
        let incomplete = *incomplete;
        Some(Resequence { number: number?, within: within?, incomplete, forget: forget?, bounds: bounds?, to: to? })
    }

    fn rule(&mut self, text: &Spanned<String>, field: &str, names: Names) -> Option<Rule> {
        Rule::compile(&text.value, names).map_err(|why| self.problem(text, format!("{field}: {why}"))).ok()
    }

    /// `None`: it is said, and wrong.
    fn optional(&mut self, text: Option<&Spanned<String>>, field: &str, names: Names) -> Option<Option<Rule>> {
        text.map(|text| self.rule(text, field, names)).map_or(Some(None), |rule| rule.map(Some))
    }

    fn seconds(&mut self, seconds: u32, field: &str) -> Option<Duration> {
        const MONTH: u32 = 30 * 24 * 60 * 60;
        if !(1..=MONTH).contains(&seconds) {
            self.problem(&self.pattern.name, format!("{field}: {seconds} seconds, 1 to {MONTH} are taken"));
            return None;
        }
        Some(Duration::from_secs(seconds.into()))
    }

    fn bounds(&mut self, bounds: Bounds, field: &str) -> Option<Bounds> {
        let Bounds { messages, bytes } = Bounds::MOST;
        if !(1..=messages).contains(&bounds.messages) || !(1..=bytes).contains(&bounds.bytes) {
            self.problem(&self.pattern.name, format!("{field}: 1 to {messages} messages and 1 to {bytes} bytes are taken"));
            return None;
        }
        Some(bounds)
    }

    fn r#type(&mut self, r#type: &str, field: &str) -> Option<String> {
        if r#type.is_empty() || r#type.len() > 256 || r#type.contains('*') || r#type.chars().any(char::is_control) {
            self.problem(&self.pattern.name, format!("{field}: a type has 1 to 256 bytes, and no `*`"));
            return None;
        }
        Some(r#type.to_owned())
    }

    fn problem<T>(&mut self, at: &Spanned<T>, message: String) {
        let name = &self.pattern.name;
        // A default stands nowhere.
        let known = at.referenced != serde_saphyr::Location::UNKNOWN;
        let place = if known { place(self.file, at) } else { place(self.file, name) };
        self.problems.push(Problem { place, route: String::new(), message: format!("pattern {}: {message}", name.value) });
    }
}
