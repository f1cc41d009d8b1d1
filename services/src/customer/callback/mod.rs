//! Web callback: a customer asks to be called, and is called at the promised time.

mod decide;
pub mod line;
mod words;
