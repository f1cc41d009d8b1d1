//! Web callback: a customer asks to be called, and is called at the promised time.

pub mod line;
