//! JSON as Kubernetes' Go types write it, for the annotations and variables that hold some: fields in the order of
//! the types, empty ones left out, quantities in their canonical form.

use serde_json::Value;

use crate::tree::Map;

/// The fields of the Go types, in their order. A nested type is one whose fields are listed too.
struct Type {
    fields: &'static [(&'static str, Field)],
}

enum Field {
    /// As it is.
    Plain,
    Nested(&'static Type),
    List(&'static Type),
    /// A map sorted by key.
    Map,
    /// A map of quantities sorted by key.
    Quantities,
}

use Field::{List, Map as Sorted, Nested, Plain, Quantities};

static PORT: Type = Type {
    fields: &[
        ("name", Plain),
        ("hostPort", Plain),
        ("containerPort", Plain),
        ("protocol", Plain),
        ("hostIP", Plain),
    ],
};

static HTTP_GET: Type = Type {
    fields: &[
        ("path", Plain),
        ("port", Plain),
        ("host", Plain),
        ("scheme", Plain),
        ("httpHeaders", Plain),
    ],
};

static TCP_SOCKET: Type = Type {
    fields: &[("port", Plain), ("host", Plain)],
};

static PROBE: Type = Type {
    fields: &[
        ("exec", Plain),
        ("httpGet", Nested(&HTTP_GET)),
        ("tcpSocket", Nested(&TCP_SOCKET)),
        ("grpc", Plain),
        ("initialDelaySeconds", Plain),
        ("timeoutSeconds", Plain),
        ("periodSeconds", Plain),
        ("successThreshold", Plain),
        ("failureThreshold", Plain),
        ("terminationGracePeriodSeconds", Plain),
    ],
};

static HANDLER: Type = Type {
    fields: &[
        ("exec", Plain),
        ("httpGet", Nested(&HTTP_GET)),
        ("tcpSocket", Nested(&TCP_SOCKET)),
        ("sleep", Plain),
    ],
};

static LIFECYCLE: Type = Type {
    fields: &[
        ("postStart", Nested(&HANDLER)),
        ("preStop", Nested(&HANDLER)),
        ("stopSignal", Plain),
    ],
};

static RESOURCES: Type = Type {
    fields: &[
        ("limits", Quantities),
        ("requests", Quantities),
        ("claims", Plain),
    ],
};

static VARIABLE: Type = Type {
    fields: &[("name", Plain), ("value", Plain), ("valueFrom", Sorted)],
};

static MOUNT: Type = Type {
    fields: &[
        ("name", Plain),
        ("readOnly", Plain),
        ("recursiveReadOnly", Plain),
        ("mountPath", Plain),
        ("subPath", Plain),
        ("mountPropagation", Plain),
        ("subPathExpr", Plain),
    ],
};

static CAPABILITIES: Type = Type {
    fields: &[("add", Plain), ("drop", Plain)],
};

static SECURITY: Type = Type {
    fields: &[
        ("capabilities", Nested(&CAPABILITIES)),
        ("privileged", Plain),
        ("seLinuxOptions", Plain),
        ("windowsOptions", Plain),
        ("runAsUser", Plain),
        ("runAsGroup", Plain),
        ("runAsNonRoot", Plain),
        ("readOnlyRootFilesystem", Plain),
        ("allowPrivilegeEscalation", Plain),
        ("procMount", Plain),
        ("seccompProfile", Plain),
        ("appArmorProfile", Plain),
    ],
};

static CONTAINER: Type = Type {
    fields: &[
        ("name", Plain),
        ("image", Plain),
        ("command", Plain),
        ("args", Plain),
        ("workingDir", Plain),
        ("ports", List(&PORT)),
        ("envFrom", Plain),
        ("env", List(&VARIABLE)),
        ("resources", Nested(&RESOURCES)),
        ("resizePolicy", Plain),
        ("restartPolicy", Plain),
        ("restartPolicyRules", Plain),
        ("volumeMounts", List(&MOUNT)),
        ("volumeDevices", Plain),
        ("livenessProbe", Nested(&PROBE)),
        ("readinessProbe", Nested(&PROBE)),
        ("startupProbe", Nested(&PROBE)),
        ("lifecycle", Nested(&LIFECYCLE)),
        ("terminationMessagePath", Plain),
        ("terminationMessagePolicy", Plain),
        ("imagePullPolicy", Plain),
        ("securityContext", Nested(&SECURITY)),
        ("stdin", Plain),
        ("stdinOnce", Plain),
        ("tty", Plain),
    ],
};

/// A container's port.
pub(crate) fn port(value: &Value) -> Value {
    ordered(value, &PORT)
}

/// A container. Its `resources` are there even if empty.
pub(crate) fn container(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value
        && !map.get("resources").is_some_and(Value::is_object)
    {
        map.insert("resources".to_owned(), Value::Object(Map::new()));
    }
    ordered(&value, &CONTAINER)
}

/// An HTTP request of a probe or hook.
pub(crate) fn http_get(value: &Value) -> Value {
    ordered(value, &HTTP_GET)
}

/// A TCP connection of a probe or hook.
pub(crate) fn tcp_socket(value: &Value) -> Value {
    ordered(value, &TCP_SOCKET)
}

fn ordered(value: &Value, ty: &Type) -> Value {
    let Value::Object(map) = value else {
        return value.clone();
    };
    let mut result = Map::new();
    for (name, field) in ty.fields {
        let Some(value) = map.get(*name) else { continue };
        let value = match field {
            Plain => value.clone(),
            Nested(ty) => ordered(value, ty),
            List(ty) => value
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| ordered(item, ty))
                .collect(),
            Sorted => sorted(value),
            Quantities => quantities(value),
        };
        if !is_empty(&value) || *name == "resources" {
            result.insert((*name).to_owned(), value);
        }
    }
    // Fields of a later version of Kubernetes.
    for (name, value) in map {
        if !ty.fields.iter().any(|(known, _)| known == name) && !is_empty(value) {
            result.insert(name.clone(), value.clone());
        }
    }
    Value::Object(result)
}

/// Whether Go leaves the field out. Numbers and booleans of containers are pointers where zero means something.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        map.sort_keys();
    }
    value
}

fn quantities(value: &Value) -> Value {
    let mut value = sorted(value);
    for amount in value.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(canonical) = canonical_quantity(&crate::tree::plain(amount)) {
            *amount = Value::String(canonical);
        }
    }
    value
}

/// Decimal suffixes and their powers of ten.
const DECIMAL: [(&str, i32); 10] = [
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("", 0),
    ("m", -3),
    ("u", -6),
    ("n", -9),
];

/// Binary suffixes and their powers of 1024.
const BINARY: [(&str, u32); 6] = [("Ki", 1), ("Mi", 2), ("Gi", 3), ("Ti", 4), ("Pi", 5), ("Ei", 6)];

/// A quantity in the form that Kubernetes writes: with the largest suffix of its own sort that leaves a whole number.
/// `None` if it is none, or too large to tell.
pub(crate) fn canonical_quantity(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let digits = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()?;
    if mantissa == 0 {
        return Some("0".to_owned());
    }
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        let bytes = mantissa.checked_mul(1024_i128.checked_pow(*power)?)?;
        let divisor = 10_i128.checked_pow(fraction.len().try_into().ok()?)?;
        if bytes % divisor == 0 {
            let mut value = bytes / divisor;
            // Numbers below 1024 are written as decimal ones.
            if value.abs() < 1024 {
                return decimal(sign, value, 0);
            }
            let mut suffix = "";
            for (name, _) in BINARY {
                if value % 1024 != 0 {
                    break;
                }
                value /= 1024;
                suffix = name;
            }
            return Some(format!("{sign}{value}{suffix}"));
        }
        return decimal(sign, bytes, -scale);
    }
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return decimal(sign, mantissa, power - scale);
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let (mantissa, exponent) = grouped(mantissa, exponent - scale)?;
    Some(match exponent {
        0 => format!("{sign}{mantissa}"),
        _ => format!("{sign}{mantissa}e{exponent}"),
    })
}

/// `mantissa * 10^exponent` with an exponent that is a multiple of three, as large as can be.
fn grouped(mut mantissa: i128, mut exponent: i32) -> Option<(i128, i32)> {
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    // Smaller than a billionth cannot be written.
    while exponent < -9 {
        mantissa = mantissa / 10 + i128::from(mantissa % 10 != 0);
        exponent += 1;
    }
    while exponent.rem_euclid(3) != 0 {
        mantissa = mantissa.checked_mul(10)?;
        exponent -= 1;
    }
    Some((mantissa, exponent))
}

fn decimal(sign: &str, mantissa: i128, exponent: i32) -> Option<String> {
    let (mut mantissa, mut exponent) = grouped(mantissa, exponent)?;
    while exponent > 18 {
        mantissa = mantissa.checked_mul(1000)?;
        exponent -= 3;
    }
    let (suffix, _) = DECIMAL.iter().find(|(_, power)| *power == exponent)?;
    Some(format!("{sign}{mantissa}{suffix}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_canonical() {
        for (text, expected) in [
            ("2000m", "2"),
            ("3000m", "3"),
            ("1500m", "1500m"),
            ("0.5", "500m"),
            ("100m", "100m"),
            ("1024Mi", "1Gi"),
            ("128Mi", "128Mi"),
            ("1536Mi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("1000", "1k"),
            ("1e3", "1e3"),
            ("1500000", "1500k"),
            ("0", "0"),
            ("0Mi", "0"),
            ("-5", "-5"),
            ("512", "512"),
            ("1024", "1024"),
            ("1.5", "1500m"),
        ] {
            assert_eq!(canonical_quantity(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(canonical_quantity("many"), None);
    }

    #[test]
    fn containers_are_written_as_go_writes_them() {
        let value = json!({
            "resources": {"limits": {"memory": "1024Mi", "cpu": "2000m"}},
            "env": [{"value": "1", "name": "A"}, {"name": "B", "value": ""}],
            "name": "istio-proxy",
            "ports": [],
        });
        assert_eq!(
            container(&value).to_string(),
            r#"{"name":"istio-proxy","env":[{"name":"A","value":"1"},{"name":"B"}],"resources":{"limits":{"cpu":"2","memory":"1Gi"}}}"#
        );
        assert_eq!(
            container(&json!({"name": "a"})).to_string(),
            r#"{"name":"a","resources":{}}"#
        );
    }
}
