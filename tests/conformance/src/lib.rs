//! Laws for what has several implementations, and the faults under which they must hold.

pub mod crm;
pub mod disk;
pub mod documents;
pub mod journal;
