//! Tests of the crate from outside.

mod differential;
mod edit;
mod emit;
mod oracle;
mod robust;
mod soup;
mod update;
