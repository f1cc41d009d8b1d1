//! The promises, watched over the records alone: knows nothing of how the rules keep them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use passerelle_proto::bus::v1::handoff_event::What;
use passerelle_proto::bus::v1::{HandoffEnding, HandoffEvent};

use super::super::Command;
use super::super::moments::moment;
use super::client::STEPS;

/// What the records so far have promised.
#[derive(Debug, Clone, Default)]
pub(super) struct Monitor {
    offered: bool,
    ended: bool,
    /// The owner's channel, and until when nobody else may be.
    owner: Option<(String, SystemTime)>,
    takings: u64,
    /// The last step done.
    pub(super) step: u64,
    /// Every answer ever given.
    pub(super) answers: BTreeMap<String, String>,
    /// The code that serves.
    code: Option<Vec<u8>>,
}

impl Monitor {
    /// Sees an event written because of a command.
    pub(super) fn sees(&mut self, event: &HandoffEvent, command: &Command) {
        let at = moment(event.at);
        let what = event.what.as_ref().expect("an event says what happened");
        assert!(!self.ended, "nothing happens after the end: {what:?}");
        assert_eq!(self.offered, !matches!(what, What::Offered(_)), "it is offered once, and first");
        match what {
            What::Offered(offered) => {
                self.offered = true;
                self.answers.clone_from(&offered.answers);
                self.code = offered.code.as_ref().map(|code| code.hash.clone());
            }
            What::CodeIssued(issued) => {
                assert_eq!(self.owner, None, "no code for what somebody owns");
                self.code = issued.code.as_ref().map(|code| code.hash.clone());
            }
            What::Taken(taken) => {
                assert_eq!(self.owner, None, "one owner at a time");
                let Command::Take { by, .. } = command else { panic!("taken by {command:?}") };
                if let super::super::Right::Code(hash) = by {
                    assert_eq!(self.code.as_ref(), Some(hash), "only the last code serves");
                }
                // It serves once.
                self.code = None;
                self.takings += 1;
                self.owner = Some((taken.channel.clone(), moment(taken.lease_until)));
            }
            What::Renewed(renewed) => self.owner_acts(command, moment(renewed.lease_until), at),
            What::Progressed(progressed) => {
                self.owner_acts(command, moment(progressed.lease_until), at);
                self.step += 1;
                assert_eq!(progressed.step, self.step.to_string(), "one step after the other, each once");
                self.answers.extend(progressed.answers.clone());
            }
            What::OfferedAgain(again) => {
                let (_, until) = self.owner.take().expect("only what was owned is offered again");
                match again.lease_ran_out {
                    true => assert!(until <= at, "a lease holds until its end"),
                    false => assert_eq!(fence(command), Some(self.takings), "only its owner gives it back"),
                }
            }
            What::Ended(ended) => {
                self.ended = true;
                match ended.ending() {
                    HandoffEnding::Completed => {
                        assert_eq!(fence(command), Some(self.takings), "only its owner completes it");
                        assert!(self.owner.is_some() && self.step == STEPS, "only the owner, at the last step");
                    }
                    _ => assert_eq!(self.owner, None, "nobody loses what he owns"),
                }
            }
        }
    }

    /// An owner acts, in time and by his own number.
    fn owner_acts(&mut self, command: &Command, lease_until: SystemTime, at: SystemTime) {
        let (_, until) = self.owner.as_mut().expect("only an owner acts");
        assert!(*until > at, "no owner acts after his lease");
        assert!(lease_until >= *until, "acting never shortens a lease");
        *until = lease_until;
        assert_eq!(fence(command), Some(self.takings), "former owners are fenced off");
    }

    /// What can come of it: moments counted from now, owners without names.
    pub(super) fn relative(&self, now: SystemTime) -> impl std::hash::Hash {
        let left = self.owner.as_ref().map(|(_, until)| until.duration_since(now).ok());
        let Self { offered, ended, takings, step, answers, .. } = self;
        (*offered, *ended, left, *takings, *step, answers.clone(), self.code.is_some())
    }
}

fn fence(command: &Command) -> Option<u64> {
    match command {
        Command::Renew { fence }
        | Command::Progress { fence, .. }
        | Command::GiveBack { fence }
        | Command::Complete { fence, .. } => Some(*fence),
        _ => None,
    }
}
