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
    &traffic::conflicting_gateways::RULE,
    &traffic::conflicting_mesh_hosts::RULE,
    &schema::deprecated_field::RULE,
    &input::duplicate_key::RULE,
    &input::duplicate_resource::RULE,
    &traffic::gateway_duplicate_certificate::RULE,
    &traffic::gateway_port_not_on_service::RULE,
    &traffic::gateway_selects_nothing::RULE,
    &traffic::host_not_on_gateway::RULE,
    &traffic::ineffective_match::RULE,
    &traffic::internal_gateway::RULE,
    &validation::invalid_spec::RULE,
    &schema::invalid_value::RULE,
    &traffic::missing_destination_port::RULE,
    &schema::missing_field::RULE,
    &input::missing_name::RULE,
    &traffic::missing_server_verification::RULE,
    &schema::out_of_range::RULE,
    &traffic::subset_selects_nothing::RULE,
    &validation::suspicious_spec::RULE,
    &input::syntax_error::RULE,
    &traffic::unknown_destination_rule_host::RULE,
    &schema::unknown_field::RULE,
    &traffic::unknown_gateway::RULE,
    &traffic::unknown_host::RULE,
    &input::unknown_kind::RULE,
    &traffic::unknown_port::RULE,
    &traffic::unknown_subset::RULE,
    &schema::unknown_value::RULE,
    &traffic::unreachable_route::RULE,
    &input::unreadable_file::RULE,
    &unused_suppression::RULE,
    &schema::wrong_type::RULE,
];

#[cfg(test)]
mod tests;
