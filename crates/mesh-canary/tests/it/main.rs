//! Patches, decisions, questions and plans.

mod judge;
mod locate;
mod patch;
mod plan;
