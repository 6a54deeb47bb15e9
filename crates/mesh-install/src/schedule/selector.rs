//! Label selectors and node selectors.

use std::collections::BTreeMap;

use mesh_core::Labels;
use mesh_core::k8s_openapi::api::core::v1::{Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::reason::Reason;

/// Whether a label selector selects these labels. None selects nothing, an empty one everything.
pub(super) fn matches(selector: Option<&LabelSelector>, labels: Option<&Labels>) -> bool {
    static NO_LABELS: Labels = Labels::new();
    let Some(selector) = selector else { return false };
    let labels = labels.unwrap_or(&NO_LABELS);
    let pairs = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    pairs
        .into_iter()
        .all(|(key, value)| labels.get(key) == Some(value))
        && expressions.into_iter().all(|expression| {
            let values = expression.values.as_deref().unwrap_or_default();
            requirement(labels, &expression.key, &expression.operator, values)
        })
}

/// Whether the selector is there but asks nothing.
pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// One requirement. A malformed one is never met.
fn requirement(labels: &Labels, key: &str, operator: &str, values: &[String]) -> bool {
    let value = labels.get(key);
    match operator {
        "In" => value.is_some_and(|value| values.contains(value)),
        "NotIn" => !values.is_empty() && value.is_none_or(|value| !values.contains(value)),
        "Exists" => values.is_empty() && value.is_some(),
        "DoesNotExist" => values.is_empty() && value.is_none(),
        "Gt" | "Lt" => {
            let [bound] = values else { return false };
            let (Some(Ok(value)), Ok(bound)) =
                (value.map(|value| value.parse::<i64>()), bound.parse::<i64>())
            else {
                return false;
            };
            if operator == "Gt" {
                value > bound
            } else {
                value < bound
            }
        }
        _ => false,
    }
}

/// The terms of a pod's required node affinity, if it has any.
fn required_terms(spec: &PodSpec) -> Option<&[NodeSelectorTerm]> {
    let node_affinity = spec.affinity.as_ref()?.node_affinity.as_ref()?;
    let required = node_affinity
        .required_during_scheduling_ignored_during_execution
        .as_ref()?;
    Some(&required.node_selector_terms)
}

/// Whether a node satisfies a pod's `nodeSelector` and required node affinity.
pub(super) fn node_matches(spec: &PodSpec, node: &Node) -> bool {
    unmet_selector(spec, node).is_none()
        && required_terms(spec).is_none_or(|terms| terms.iter().any(|term| term_matches(term, node)))
}

/// The pair of the pod's `nodeSelector` that the node lacks, or all that its affinity asks for.
pub(super) fn unmet(spec: &PodSpec, node: &Node) -> Option<Reason> {
    if let Some((key, value)) = unmet_selector(spec, node) {
        let labels = node.metadata.labels.as_ref();
        return Some(Reason::Affinity {
            needed: format!("label {key}={value}"),
            actual: labels.and_then(|labels| labels.get(key)).cloned(),
        });
    }
    let terms = required_terms(spec)?;
    if terms.iter().any(|term| term_matches(term, node)) {
        return None;
    }
    let alternatives: Vec<String> = terms.iter().map(describe).collect();
    Some(Reason::Affinity {
        needed: alternatives.join(", or "),
        actual: None,
    })
}

fn unmet_selector<'a>(spec: &'a PodSpec, node: &Node) -> Option<(&'a String, &'a String)> {
    let labels = node.metadata.labels.as_ref();
    let mut pairs = spec.node_selector.iter().flatten();
    pairs.find(|(key, value)| labels.and_then(|labels| labels.get(*key)) != Some(value))
}

fn term_matches(term: &NodeSelectorTerm, node: &Node) -> bool {
    static NO_LABELS: Labels = Labels::new();
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let labels = node.metadata.labels.as_ref().unwrap_or(&NO_LABELS);
    expressions.iter().all(|expression| {
        let values = expression.values.as_deref().unwrap_or_default();
        requirement(labels, &expression.key, &expression.operator, values)
    }) && fields.iter().all(|field| field_matches(field, node))
}

/// The only field that can be selected is the node's name, with exactly one value.
fn field_matches(field: &NodeSelectorRequirement, node: &Node) -> bool {
    let [value] = field.values.as_deref().unwrap_or_default() else {
        return false;
    };
    let is_it = field.key == "metadata.name" && node.metadata.name.as_ref() == Some(value);
    match field.operator.as_str() {
        "In" => is_it,
        "NotIn" => !is_it,
        _ => false,
    }
}

fn describe(term: &NodeSelectorTerm) -> String {
    let parts = |requirements: &Option<Vec<NodeSelectorRequirement>>, what: &str| {
        let requirements = requirements.iter().flatten();
        requirements
            .map(|requirement| {
                let values = requirement.values.as_deref().unwrap_or_default().join(", ");
                match requirement.operator.as_str() {
                    "Exists" => format!("{what} {}", requirement.key),
                    "DoesNotExist" => format!("no {what} {}", requirement.key),
                    "In" => format!("{what} {} in ({values})", requirement.key),
                    "NotIn" => format!("{what} {} not in ({values})", requirement.key),
                    "Gt" => format!("{what} {} > {values}", requirement.key),
                    "Lt" => format!("{what} {} < {values}", requirement.key),
                    other => format!("{what} {} {other} ({values})", requirement.key),
                }
            })
            .collect::<Vec<_>>()
    };
    let mut all = parts(&term.match_expressions, "label");
    all.extend(parts(&term.match_fields, "field"));
    if all.is_empty() {
        "an empty term, which no node meets".to_owned()
    } else {
        all.join(" and ")
    }
}

/// What a pod's node affinity says about names of nodes.
pub(super) enum Names {
    /// Any node may do.
    Any,
    /// Only nodes of these names.
    Only(Vec<String>),
    /// Its terms exclude each other.
    Conflict,
}

/// The nodes that a pod names in `matchFields`. A term without names leaves every node open.
pub(super) fn named_nodes(spec: &PodSpec) -> Names {
    let Some(terms) = required_terms(spec).filter(|terms| !terms.is_empty()) else {
        return Names::Any;
    };
    let mut names: Vec<String> = Vec::new();
    for term in terms {
        let mut allowed: Option<Vec<String>> = None;
        for field in term.match_fields.iter().flatten() {
            if field.key == "metadata.name" && field.operator == "In" {
                let values = field.values.clone().unwrap_or_default();
                allowed = Some(match allowed {
                    Some(allowed) => allowed.into_iter().filter(|name| values.contains(name)).collect(),
                    None => values,
                });
            }
        }
        match allowed {
            Some(allowed) => names.extend(allowed),
            None => return Names::Any,
        }
    }
    if names.is_empty() {
        Names::Conflict
    } else {
        Names::Only(names)
    }
}
