//! Tests of the crate from outside.

mod differential;
mod oracle;
mod soup;
