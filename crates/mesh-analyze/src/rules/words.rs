//! Names of kinds in sentences.

use mesh_core::Kind;

/// A kind with its article: `a Pod`, `an Ingress`.
pub(crate) fn with_article(kind: Kind) -> String {
    let name = kind.to_string();
    let article = if name.starts_with(['A', 'E', 'I', 'O']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {name}")
}

/// Several of a kind: `Pods`, `Telemetries`.
pub(crate) fn plural(kind: Kind) -> String {
    let name = kind.to_string();
    if let Some(stem) = name.strip_suffix("ay") {
        format!("{stem}ays")
    } else if let Some(stem) = name.strip_suffix('y') {
        format!("{stem}ies")
    } else if name.ends_with('s') {
        format!("{name}es")
    } else {
        format!("{name}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_well_in_sentences() {
        for (kind, one, several) in [
            (Kind::Pod, "a Pod", "Pods"),
            (Kind::Ingress, "an Ingress", "Ingresses"),
            (Kind::Gateway, "a Gateway", "Gateways"),
            (Kind::Telemetry, "a Telemetry", "Telemetries"),
            (
                Kind::AuthorizationPolicy,
                "an AuthorizationPolicy",
                "AuthorizationPolicies",
            ),
        ] {
            assert_eq!(
                (with_article(kind).as_str(), plural(kind).as_str()),
                (one, several)
            );
        }
    }
}
