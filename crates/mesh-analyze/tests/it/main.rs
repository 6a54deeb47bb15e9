//! Tests of the analysis as its users see it.

mod robustness;
mod samples;
