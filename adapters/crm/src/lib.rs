//! adapter-crm: customers of a CRM as the contract `passerelle.backoffice.customers.v1`, one module a driver.
//!
//! `adapter` takes calls apart, checks them by `checks`, and refuses what the CRM cannot do; a `driver` does the rest: `embedded` keeps customers
//! on this machine, `tryton` in a Tryton server.

mod adapter;
mod checks;
mod driver;
mod embedded;
mod file;
mod kind;
mod page;
mod tryton;
mod wire;

pub use kind::Crm;
