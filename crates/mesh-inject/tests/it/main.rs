//! Injection of whole documents, and its way back.

mod admission;
mod cases;
mod documents;
mod oracle;
mod properties;
mod round_trip;
mod support;
mod templates;
