//! The conformance kit: laws that every adapter must keep, in process or over the wire, and the faults under which they must hold.

mod subject;

pub use subject::{
    Class, EffectExample, Example, Proof, RefusalExample, SlowExample, StreamExample, SubjectError, SubjectFile, is_endpoint,
};
