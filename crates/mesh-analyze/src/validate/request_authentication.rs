//! Validation of [`RequestAuthentication`].

use mesh_core::istio::request_authentication::{JwtRule, RequestAuthentication};
use mesh_core::{Mesh, Resource};
use mesh_yaml::{FieldPath, path};
use serde_json::{Map, Value};

use super::at::At;
use super::{Findings, policy, shared};

pub(super) fn check(resource: &Resource<RequestAuthentication>, _mesh: &Mesh, findings: &mut Findings) {
    let spec = &resource.spec;
    policy::targets(
        spec.selector.as_ref(),
        spec.target_ref.as_ref(),
        &spec.target_refs,
        findings,
    );
    let root = resource.origin().root();
    let at = At::spec(resource);
    for (index, rule) in spec.jwt_rules.iter().enumerate() {
        let path = path!["spec", "jwtRules", index];
        let node = root.at(&path);
        let is_set = |key: &str| node.is_some_and(|node| node.get(key).is_some());
        // The schema reports keys whose values are empty.
        if node.is_some_and(mesh_yaml::Node::is_mapping)
            && !["issuer", "jwksUri", "jwks_uri"].into_iter().any(is_set)
        {
            findings
                .error(path.clone(), "this rule has neither `issuer` nor `jwksUri`")
                .help("set `issuer` to the claim `iss` of the tokens");
        }
        rule_parts(rule, &at.item("jwtRules", index), findings);
    }
}

fn rule_parts(rule: &JwtRule, at: &At<'_>, findings: &mut Findings) {
    if !rule.jwks.is_empty() {
        jwks(&rule.jwks, at.key("jwks").path(), findings);
    }
    shared::whole_millis(rule.timeout, &at.key("timeout"), findings);
}

/// Checks a JSON Web Key Set, or a single key (RFC 7517, RFC 7518 section 6, RFC 8037).
fn jwks(text: &str, path: FieldPath, findings: &mut Findings) {
    let value = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(object)) => object,
        Ok(_) => {
            findings
                .error(path, "`jwks` is not a JSON object")
                .help("write a key set: `{\"keys\": [...]}`");
            return;
        }
        Err(error) => {
            findings
                .error(path, format!("`jwks` is not JSON: {error}"))
                .help("write the key set itself; a URL belongs into `jwksUri`");
            return;
        }
    };
    let keys: Vec<&Value> = match value.get("keys") {
        Some(Value::Array(keys)) => keys.iter().collect(),
        Some(_) => {
            findings
                .error(path, "`keys` in `jwks` is not a list")
                .help("write a key set: `{\"keys\": [...]}`");
            return;
        }
        None => {
            key(&value, "the key", &path, findings);
            return;
        }
    };
    for (index, value) in keys.into_iter().enumerate() {
        let id = value.get("kid").and_then(Value::as_str);
        let name = match id {
            Some(id) => format!("the key `{id}`"),
            None => format!("key number {}", index + 1),
        };
        match value {
            Value::Object(object) => key(object, &name, &path, findings),
            _ => findings
                .error(path.clone(), format!("{name} in `jwks` is not a JSON object"))
                .help("write each key as an object with `kty`"),
        }
    }
}

fn key(key: &Map<String, Value>, name: &str, path: &FieldPath, findings: &mut Findings) {
    let members: &[&str] = match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => &["n", "e"],
        Some("EC") => &["crv", "x", "y"],
        Some("OKP") => &["crv", "x"],
        Some("oct") => &["k"],
        Some(other) => {
            findings
                .error(
                    path.clone(),
                    format!("{name} in `jwks` has the unknown type `{other}`"),
                )
                .help("`kty` is one of RSA, EC, OKP and oct");
            return;
        }
        None => {
            findings
                .error(path.clone(), format!("{name} in `jwks` has no `kty`"))
                .help("write a key set as in RFC 7517: `{\"keys\": [{\"kty\": \"RSA\", ...}]}`");
            return;
        }
    };
    if let Some(missing) = members.iter().find(|member| !key.contains_key(**member)) {
        findings
            .error(path.clone(), format!("{name} in `jwks` has no `{missing}`"))
            .help("copy the whole public key");
    }
    let is_asymmetric = members != ["k"];
    if is_asymmetric && key.contains_key("d") {
        findings
            .warning(path.clone(), format!("{name} in `jwks` is a private key"))
            .help("publish the public part only, without `d` and the primes, and replace the key, for it is known now");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::validation;

    fn rule(text: &str) -> Vec<String> {
        validation(&format!(
            "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {{name: a}}\nspec:\n  \
             jwtRules:\n  - {text}\n"
        ))
    }

    #[test]
    fn broken_rules_are_found() {
        for (text, expected) in [
            (
                "{audiences: [a]}",
                "error spec.jwtRules[0]: this rule has neither `issuer` nor `jwksUri`",
            ),
            (
                "{jwks: '{\"keys\": []}'}",
                "error spec.jwtRules[0]: this rule has neither",
            ),
            (
                "{issuer: a, jwks: 'https://a'}",
                "error spec.jwtRules[0].jwks: `jwks` is not JSON",
            ),
            (
                "{issuer: a, jwks: '[]'}",
                "error spec.jwtRules[0].jwks: `jwks` is not a JSON object",
            ),
            (
                "{issuer: a, jwks: '{\"keys\": {}}'}",
                "error spec.jwtRules[0].jwks: `keys` in `jwks` is not a list",
            ),
            (
                "{issuer: a, jwks: '{}'}",
                "error spec.jwtRules[0].jwks: the key in `jwks` has no `kty`",
            ),
            (
                "{issuer: a, jwks: '{\"keys\": [{\"kty\": \"DSA\"}]}'}",
                "error spec.jwtRules[0].jwks: key number 1 in `jwks` has the unknown type `DSA`",
            ),
            (
                "{issuer: a, jwks: '{\"keys\": [{\"kty\": \"RSA\", \"kid\": \"x\", \"e\": \"AQAB\"}]}'}",
                "error spec.jwtRules[0].jwks: the key `x` in `jwks` has no `n`",
            ),
            (
                "{issuer: a, jwks: '{\"kty\": \"RSA\", \"n\": \"b\", \"e\": \"AQAB\", \"d\": \"c\"}'}",
                "warning spec.jwtRules[0].jwks: the key in `jwks` is a private key",
            ),
            (
                "{issuer: a, timeout: 1500us}",
                "error spec.jwtRules[0].timeout: `1500us` is not a whole number of milliseconds",
            ),
        ] {
            let found = rule(text);
            assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn good_rules_are_silent() {
        for text in [
            "{issuer: a}",
            "{jwksUri: 'https://a/keys'}",
            "{issuer: '', timeout: 0s}",
            "{issuer: a, timeout: 5s, jwks: '{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"a\", \"y\": \"b\"}]}'}",
            "{issuer: a, jwks: '{\"keys\": [{\"kty\": \"oct\", \"k\": \"a\"}]}'}",
        ] {
            assert_eq!(rule(text), [""; 0], "{text}");
        }
    }
}
