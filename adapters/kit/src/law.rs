//! A law: what every adapter must do, why, and how to mend one that does not.

use std::pin::Pin;

use crate::bench::Bench;

/// One law.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// Stable name, its group first: `call.unary.one-answer`.
    pub id: &'static str,
    /// What holds, as a sentence.
    pub title: &'static str,
    /// What goes wrong where it does not hold.
    pub why: &'static str,
    /// How to mend an adapter that breaks it.
    pub mend: &'static str,
    /// What the subject must give so that it can be checked.
    pub needs: &'static [Need],
    /// Checks it.
    pub(crate) check: fn(Bench) -> Checking,
}

impl Law {
    /// The first step of its name.
    pub fn group(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }
}

/// A law being checked.
pub(crate) type Checking = Pin<Box<dyn Future<Output = Held> + Send>>;

/// Whether it holds.
pub(crate) type Held = Result<(), Finding>;

/// Why a law is not known to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It does not hold. What was seen; never a field's value.
    Broken(String),
    /// It could not be checked. What the subject must give.
    NotProven(String),
    /// It is about an ability or a side of the port that this adapter does not have.
    NotAsked(String),
}

/// What a law needs of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// An example of a unary call.
    Call,
    /// Two different examples of unary calls.
    TwoCalls,
    /// An example of a refusal.
    Refusal,
    /// An example of an effect, with its proof.
    Effect,
    /// An example of a stream.
    Stream,
    /// An example of a slow call.
    Slow,
    /// A call that makes something come in, of an adapter that receives.
    Receive,
    /// The address of the system behind.
    Behind,
    /// A way to start it anew.
    Renewal,
    /// A process that can be killed.
    Process,
    /// What it writes.
    Output,
    /// Values that must never be seen.
    Markers,
    /// A clock that can jump.
    Clock,
    /// It is reached over the wire.
    Wire,
    /// It is in this process.
    InProcess,
    /// It declares that it can look up.
    Lookup,
}

impl Need {
    /// What to give in the subject file, where it is missing; `None` for what is no gift: a side of the port, an ability.
    pub(crate) fn to_give(self) -> Option<&'static str> {
        Some(match self {
            Self::Call => "give an example of a unary call under `calls`",
            Self::TwoCalls => "give two examples under `calls` whose answers differ",
            Self::Refusal => "give an example under `refusals`",
            Self::Effect => "give an example under `effect`, with the read that proves it",
            Self::Stream => "give an example under `stream`",
            Self::Slow => "give an example under `slow`",
            Self::Receive => "give a call that makes something come in under `receive`",
            Self::Behind => "give the address of the system behind under `behind`, as it stands in the settings",
            Self::Renewal | Self::Process => "give the command that starts the adapter under `command`",
            Self::Output => "let the kit start the adapter by `command`, so that it sees what it writes",
            Self::Markers => "give secrets and personal values under `markers`",
            Self::Clock => "install libfaketime, and let the kit start the adapter by `command`",
            Self::Wire | Self::InProcess | Self::Lookup => return None,
        })
    }

    /// Why a law is not asked, where this is not there.
    pub(crate) fn not_asked(self) -> &'static str {
        match self {
            Self::Wire => "it is about the wire, and this adapter is in process",
            Self::InProcess => "it is about adapters in process",
            Self::Process | Self::Clock => "it is about adapters with a process of their own",
            Self::Lookup => "the adapter does not declare look-up; that it refuses it is `lookup.undeclared`",
            _ => "",
        }
    }
}

/// Breaks the law unless `holds`.
pub(crate) fn ensure(holds: bool, seen: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(Finding::Broken(seen())) }
}

/// The law is broken.
pub(crate) fn broken<T>(seen: impl Into<String>) -> Result<T, Finding> {
    Err(Finding::Broken(seen.into()))
}
