//! The rules, one file each, and the table of them.

pub mod input;
pub mod schema;
pub mod traffic;
pub mod unused_suppression;
pub mod validation;

use crate::Rule;

/// Every rule, sorted by name. The only list: documentation, `explain`, SARIF and options all come from it.
pub static RULES: &[&Rule] = &[
    &schema::conflicting_fields::RULE,
    &schema::deprecated_field::RULE,
    &input::duplicate_key::RULE,
    &input::duplicate_resource::RULE,
    &validation::invalid_spec::RULE,
    &schema::invalid_value::RULE,
    &traffic::missing_destination_port::RULE,
    &schema::missing_field::RULE,
    &input::missing_name::RULE,
    &schema::out_of_range::RULE,
    &validation::suspicious_spec::RULE,
    &input::syntax_error::RULE,
    &schema::unknown_field::RULE,
    &traffic::unknown_host::RULE,
    &input::unknown_kind::RULE,
    &traffic::unknown_port::RULE,
    &traffic::unknown_subset::RULE,
    &schema::unknown_value::RULE,
    &input::unreadable_file::RULE,
    &unused_suppression::RULE,
    &schema::wrong_type::RULE,
];

#[cfg(test)]
mod tests;
