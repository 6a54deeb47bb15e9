//! The table of certificates, and what is said of those that run out.

use jiff::{SignedDuration, Timestamp};
use mesh_envoy::dump::State;
use mesh_envoy::summary::{Certificate, SecretKind, SecretSummary, Validity};

use crate::ui::span;

/// Authorities are warned of this long before they expire: to replace one takes planning.
const CA_WARNING: SignedDuration = SignedDuration::from_hours(30 * 24);

/// istiod's certificates are renewed when half of their time is over. One with less than this part of it left was due.
const DUE: i32 = 4;

pub(super) fn headings(wide: bool) -> Vec<&'static str> {
    if wide {
        vec![
            "NAME",
            "TYPE",
            "STATE",
            "IDENTITY",
            "VALID",
            "SERIAL NUMBER",
            "TRUST DOMAIN",
            "SUBJECT",
            "ISSUER",
            "NOT BEFORE",
            "NOT AFTER",
        ]
    } else {
        vec![
            "NAME",
            "TYPE",
            "STATE",
            "IDENTITY",
            "VALID",
            "SERIAL NUMBER",
            "TRUST DOMAIN",
        ]
    }
}

/// A row for each certificate of a secret, or one that says why there is none.
pub(super) fn rows(secret: &SecretSummary, state: State, now: Timestamp, wide: bool) -> Vec<Vec<String>> {
    let start = || {
        vec![
            secret.name.clone(),
            secret.kind.name().to_owned(),
            state.name().to_owned(),
        ]
    };
    let columns = headings(wide).len();
    let mut rows: Vec<Vec<String>> = secret
        .certificates
        .iter()
        .map(|certificate| {
            let mut row = start();
            match certificate {
                Err(error) => row.push(error.to_string()),
                Ok(certificate) => {
                    row.extend([
                        identity(certificate),
                        valid(certificate.validity(now)),
                        certificate.serial.clone(),
                        certificate.trust_domain().unwrap_or_default().to_owned(),
                    ]);
                    if wide {
                        row.extend([
                            certificate.subject.clone(),
                            certificate.issuer.clone(),
                            certificate.not_before.to_string(),
                            certificate.not_after.to_string(),
                        ]);
                    }
                }
            }
            row
        })
        .collect();
    if rows.is_empty() {
        rows.push(start());
    }
    for row in &mut rows {
        row.resize(columns, String::new());
    }
    rows
}

/// Whom a certificate is for: its alternative names, or else its subject.
fn identity(certificate: &Certificate) -> String {
    if certificate.subject_alternative_names.is_empty() {
        certificate.subject.clone()
    } else {
        certificate.subject_alternative_names.join(", ")
    }
}

fn valid(validity: Validity) -> String {
    match validity {
        Validity::Valid(left) => format!("{} left", span(left)),
        Validity::NotYet(until) => format!("NOT YET: in {}", span(until)),
        Validity::Expired(since) => format!("EXPIRED {} ago", span(since)),
    }
}

/// What is wrong with the certificates, or will soon be.
pub(super) fn warnings(secret: &SecretSummary, now: Timestamp) -> Vec<String> {
    let name = &secret.name;
    if secret.kind == SecretKind::Pending {
        return vec![format!("secret `{name}` was asked for and has not come")];
    }
    let mut warnings = Vec::new();
    for certificate in secret.certificates.iter().flatten() {
        let who = identity(certificate);
        match certificate.validity(now) {
            Validity::Expired(since) => {
                warnings.push(format!(
                    "the certificate of {who} in secret `{name}` expired {} ago",
                    span(since)
                ));
            }
            Validity::NotYet(until) => {
                warnings.push(format!(
                    "the certificate of {who} in secret `{name}` is valid only in {}",
                    span(until)
                ));
            }
            Validity::Valid(left) => {
                let lifetime = certificate.not_after.duration_since(certificate.not_before);
                let is_due = if secret.kind == SecretKind::Ca {
                    left < CA_WARNING
                } else {
                    left < lifetime / DUE
                };
                if is_due {
                    warnings.push(format!(
                        "the certificate of {who} in secret `{name}` expires in {}",
                        span(left)
                    ));
                }
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(start: &str, end: &str) -> Certificate {
        Certificate {
            subject: String::new(),
            issuer: "O=cluster.local".to_owned(),
            subject_alternative_names: vec!["spiffe://cluster.local/ns/shop/sa/web".to_owned()],
            serial: "2a".to_owned(),
            not_before: start.parse().unwrap(),
            not_after: end.parse().unwrap(),
        }
    }

    fn secret(kind: SecretKind) -> SecretSummary {
        SecretSummary {
            name: "default".to_owned(),
            kind,
            certificates: vec![Ok(certificate("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"))],
        }
    }

    #[test]
    fn certificates_that_were_due_are_warned_of() {
        let at = |moment: &str| warnings(&secret(SecretKind::CertificateChain), moment.parse().unwrap());
        assert_eq!(at("2026-01-01T12:30:00Z"), Vec::<String>::new());
        assert!(at("2026-01-01T20:00:00Z")[0].ends_with("expires in 4h"));
        assert!(at("2026-01-03T00:00:00Z")[0].ends_with("expired 1d ago"));
        let authority = warnings(&secret(SecretKind::Ca), "2026-01-01T00:00:01Z".parse().unwrap());
        assert!(
            authority[0].contains("spiffe://cluster.local/ns/shop/sa/web"),
            "{authority:?}"
        );
    }

    #[test]
    fn rows_have_a_cell_for_every_heading() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        for wide in [false, true] {
            let mut secret = secret(SecretKind::CertificateChain);
            secret
                .certificates
                .push(Err(mesh_envoy::summary::CertificateError::InFile(
                    "/etc/x".to_owned(),
                )));
            let rows = rows(&secret, State::Active, now, wide);
            assert_eq!(rows.len(), 2);
            assert!(rows.iter().all(|row| row.len() == headings(wide).len()));
            assert_eq!(rows[0][4], "1d left");
            assert_eq!(rows[1][3], "the certificate is in the proxy's file /etc/x");
        }
    }
}
