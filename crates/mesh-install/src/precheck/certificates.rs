//! Certificates: of the certificate authority, and of webhooks.

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;

use super::facts::{CaSecret, Facts, Known, Read};
use super::objects::namespace_of;
use super::{Options, Outcome, counted};

/// A certificate of an authority that has less left than this should be replaced now.
const SOON: i64 = 60 * DAY;
const DAY: i64 = 24 * 60 * 60;

/// The secret of an authority that the user brings; it wins over [`SELF_SIGNED`].
const PLUGGED_IN: &str = "cacerts";
/// The secret in which istiod keeps the authority that it makes itself.
const SELF_SIGNED: &str = "istio-ca-secret";

/// What is looked at of a certificate.
struct Certificate {
    subject: String,
    issuer: String,
    is_authority: bool,
    not_before: i64,
    not_after: i64,
}

impl Certificate {
    fn new(certificate: &X509Certificate<'_>) -> Self {
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            is_authority: certificate.is_ca(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        }
    }

    /// What is wrong with its time, a clause.
    fn out_of_time(&self, now: i64) -> Option<String> {
        if now >= self.not_after {
            Some(format!("expired {} ago", duration(now - self.not_after)))
        } else if now < self.not_before {
            Some(format!("is valid only in {}", duration(self.not_before - now)))
        } else {
            None
        }
    }
}

/// The certificates of a PEM text.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|error| format!("is not PEM: {error}"))?;
        if block.label != "CERTIFICATE" {
            continue;
        }
        let certificate = block
            .parse_x509()
            .map_err(|error| format!("holds a broken certificate: {error}"))?;
        found.push(Certificate::new(&certificate));
    }
    if found.is_empty() {
        return Err("holds no certificate".to_owned());
    }
    Ok(found)
}

/// Whether a bundle of authorities can be used now; if not, what is wrong with it, a clause.
pub(super) fn check_bundle(pem: &[u8], now: Timestamp) -> Result<(), String> {
    let problems: Vec<_> = certificates(pem)?
        .iter()
        .map(|certificate| certificate.out_of_time(now.as_second()))
        .collect();
    // Of several, one that is valid is enough.
    match problems.into_iter().collect::<Option<Vec<_>>>() {
        Some(problems) => Err(problems.into_iter().next().unwrap_or_default()),
        None => Ok(()),
    }
}

/// `12 d`, `3 h`, `40 s`: the largest unit that is full.
pub(super) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    for (unit, size) in [("d", DAY), ("h", 60 * 60), ("min", 60)] {
        if seconds >= size {
            return format!("{} {unit}", seconds / size);
        }
    }
    format!("{seconds} s")
}

/// The secret that the control plane takes its authority from.
fn authority_secret(secrets: &[CaSecret]) -> Option<&CaSecret> {
    let named = |name: &str| secrets.iter().find(|secret| secret.name == name);
    named(PLUGGED_IN).or_else(|| named(SELF_SIGNED))
}

pub(super) fn authority(facts: &Facts, options: &Options) -> Read<Outcome> {
    let Some(secret) = authority_secret(facts.ca_secrets.known()?) else {
        return Ok(Outcome::pass(
            "none yet; the control plane makes one that is valid for 10 years",
        ));
    };
    let name = format!("{}/{}", options.istio_namespace, secret.name);
    let has = |key: &str| secret.keys.contains(key);
    // The names that cert-manager gives are read too.
    let (certificate, key, root) = if has("tls.crt") && !has("ca-cert.pem") {
        ("tls.crt", "tls.key", "ca.crt")
    } else {
        ("ca-cert.pem", "ca-key.pem", "root-cert.pem")
    };
    let needed = if secret.name == SELF_SIGNED {
        &[certificate, key][..]
    } else {
        &[certificate, key, root]
    };
    let missing: Vec<_> = needed.iter().filter(|key| !has(key)).collect();
    if !missing.is_empty() {
        return Ok(Outcome::fail(format!(
            "the secret {name} is incomplete, and the control plane does not start with it"
        ))
        .detail(missing.iter().map(|key| format!("{key} is missing")))
        .hint(format!("make it anew with {}", needed.join(", "))));
    }
    let now = facts.now.as_second();
    let mut problems = Vec::new();
    let mut lines = Vec::new();
    let mut least: Option<i64> = None;
    let mut parsed = Vec::new();
    for (key, text) in &secret.certificates {
        match certificates(text.as_bytes()) {
            Ok(found) => {
                for certificate in &found {
                    let left = certificate.not_after - now;
                    least = Some(least.map_or(left, |least| least.min(left)));
                    match certificate.out_of_time(now) {
                        Some(problem) => problems.push(format!("{key}: `{}` {problem}", certificate.subject)),
                        None => lines.push(format!(
                            "{key}: `{}` has {} left",
                            certificate.subject,
                            duration(left)
                        )),
                    }
                }
                parsed.push((key.as_str(), found));
            }
            Err(problem) => problems.push(format!("{key} {problem}")),
        }
    }
    let of = |key: &str| {
        parsed
            .iter()
            .find(|(name, _)| *name == key)
            .and_then(|(_, found)| found.first())
    };
    if let Some(authority) = of(certificate) {
        if !authority.is_authority {
            problems.push(format!(
                "{certificate}: `{}` is not an authority (CA:FALSE)",
                authority.subject
            ));
        }
        let mut others = parsed.iter().flat_map(|(_, found)| found);
        if secret.name == PLUGGED_IN && !others.any(|other| other.subject == authority.issuer) {
            problems.push(format!(
                "{certificate}: its issuer `{}` is neither in {root} nor in cert-chain.pem",
                authority.issuer
            ));
        }
    }
    let replace = if secret.name == SELF_SIGNED {
        format!(
            "let the control plane make a new root: `kubectl -n {} delete secret {SELF_SIGNED}`, then restart it and all proxies",
            options.istio_namespace
        )
    } else {
        format!("replace the secret {name}; keep the old root beside the new one until all proxies have both")
    };
    if !problems.is_empty() {
        return Ok(Outcome::fail(format!("the secret {name} cannot be used"))
            .detail(problems)
            .hint(replace));
    }
    let left = least.unwrap_or_default();
    Ok(if left < SOON {
        Outcome::warning(format!("{name} has {} left", duration(left)))
            .detail(lines)
            .hint(replace)
    } else {
        Outcome::pass(format!("{name} has {} left", duration(left)))
    })
}

pub(super) fn root_copies(facts: &Facts, _: &Options) -> Read<Outcome> {
    let copies = facts.root_certificates.known()?;
    let secrets = facts.ca_secrets.known()?;
    let root = authority_secret(secrets).and_then(|secret| {
        ["root-cert.pem", "ca.crt", "ca-cert.pem"]
            .iter()
            .find_map(|key| secret.certificates.get(*key))
    });
    let Some(root) = root else {
        return Ok(Outcome::pass("no root to compare with"));
    };
    let differing: Vec<_> = copies
        .iter()
        .filter(|copy| {
            let text = copy.data.as_ref().and_then(|data| data.get("root-cert.pem"));
            text.is_none_or(|text| !text.contains(root.trim()))
        })
        .map(|copy| namespace_of(&copy.metadata))
        .collect();
    let Some(first) = differing.first() else {
        return Ok(Outcome::pass(format!(
            "{} up to date",
            counted(copies.len(), "namespace")
        )));
    };
    Ok(Outcome::warning(format!(
        "proxies of {} trust another root than the control plane has",
        counted(differing.len(), "namespace")
    ))
    .detail(differing.iter().map(|namespace| format!("{namespace}/istio-ca-root-cert")))
    .hint(format!(
        "let the control plane write it again: `kubectl -n {first} delete configmap istio-ca-root-cert`, then restart the pods there"
    )))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Status;
    use super::super::testing::{facts, now, options, read};
    use super::*;

    /// Valid from 2026 to 2036.
    const ROOT: &str = include_str!("testdata/root.pem");
    /// Signed by [`ROOT`]; ends 14 days after [`now`].
    const INTERMEDIATE: &str = include_str!("testdata/intermediate.pem");
    /// Signed by [`ROOT`]; not an authority.
    const LEAF: &str = include_str!("testdata/leaf.pem");
    /// [`ROOT`] as the API has it.
    pub(crate) const ENCODED: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJnVENDQVNpZ0F3SUJBZ0lVRkxxVlAzTVZtR3YzZFgxVGZhSTVWN29mSlJnd0NnWUlLb1pJemowRUF3SXcKSnpFV01CUUdBMVVFQ2d3TlkyeDFjM1JsY2k1c2IyTmhiREVOTUFzR0ExVUVBd3dFVW05dmREQWVGdzB5TmpBeApNREV3TURBd01EQmFGdzB6TmpBeE1ERXdNREF3TURCYU1DY3hGakFVQmdOVkJBb01EV05zZFhOMFpYSXViRzlqCllXd3hEVEFMQmdOVkJBTU1CRkp2YjNRd1dUQVRCZ2NxaGtqT1BRSUJCZ2dxaGtqT1BRTUJCd05DQUFSbEZHaFgKclRUUjBwSlFuREp5SkZ4bm1ETFB4Q2dXRC9vN3FQM1ZmWE8waVVncWRvTEYycGhlV21DbzczTzE2YnFJSm5WWgpGSXlSRkkyNEllVlZ2aXZkb3pJd01EQVBCZ05WSFJNQkFmOEVCVEFEQVFIL01CMEdBMVVkRGdRV0JCVG41NHRUClloczBYdzBIZjdPbjc2amFCUUdxSWpBS0JnZ3Foa2pPUFFRREFnTkhBREJFQWlBNkpOaXdhQ1FXSGNucFVmQlgKSVhTTkw3S01rVjYzbFFUNHdZWVUvZThDYUFJZ0JpUzhweDlkSTdxVWhidTdIY3lEb1JUK3A3L2dGd3c2Q1Z3MgpaaVZYWlBnPQotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==";

    fn secret(name: &str, entries: &[(&str, &str)]) -> Facts {
        let mut facts = facts();
        let keys = entries.iter().map(|(key, _)| (*key).to_owned()).collect();
        let certificates = entries
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect();
        facts.ca_secrets = Ok(vec![CaSecret {
            name: name.to_owned(),
            keys,
            certificates,
        }]);
        facts
    }

    #[test]
    fn authorities_are_judged_by_time_form_and_chain() {
        let options = options();
        assert_eq!(read(authority(&facts(), &options)).status, Status::Pass);
        let plugged_in = |certificate: &str| {
            secret(
                "cacerts",
                &[
                    ("ca-cert.pem", certificate),
                    ("ca-key.pem", ""),
                    ("root-cert.pem", ROOT),
                    ("cert-chain.pem", certificate),
                ],
            )
        };
        for (facts, expected, detail) in [
            (
                secret("istio-ca-secret", &[("ca-cert.pem", ROOT), ("ca-key.pem", "")]),
                Status::Pass,
                "",
            ),
            (plugged_in(INTERMEDIATE), Status::Warning, "has 14 d left"),
            (plugged_in(LEAF), Status::Fail, "is not an authority"),
            (
                plugged_in("garbage"),
                Status::Fail,
                "ca-cert.pem holds no certificate",
            ),
            (
                secret("cacerts", &[("ca-cert.pem", ROOT), ("ca-key.pem", "")]),
                Status::Fail,
                "root-cert.pem is missing",
            ),
            (
                secret(
                    "cacerts",
                    &[
                        ("ca-cert.pem", INTERMEDIATE),
                        ("ca-key.pem", ""),
                        ("root-cert.pem", LEAF),
                    ],
                ),
                Status::Fail,
                "its issuer `O=cluster.local, CN=Root` is neither",
            ),
            (
                secret("cacerts", &[("tls.crt", ROOT), ("tls.key", ""), ("ca.crt", ROOT)]),
                Status::Pass,
                "",
            ),
        ] {
            let outcome = read(authority(&facts, &options));
            assert_eq!(outcome.status, expected, "{outcome:?}");
            assert!(
                detail.is_empty() || outcome.detail.iter().any(|line| line.contains(detail)),
                "{detail}: {outcome:?}"
            );
        }
        let mut late = plugged_in(INTERMEDIATE);
        late.now = now() + jiff::SignedDuration::from_hours(24 * 20);
        let outcome = read(authority(&late, &options));
        assert_eq!(outcome.status, Status::Fail);
        assert!(outcome.detail[0].ends_with("expired 6 d ago"), "{outcome:?}");
    }

    #[test]
    fn bundles_need_one_certificate_that_is_valid_now() {
        let before = now() - jiff::SignedDuration::from_hours(24 * 365);
        let after = now() + jiff::SignedDuration::from_hours(24 * 20);
        assert_eq!(check_bundle(ROOT.as_bytes(), now()), Ok(()));
        assert_eq!(check_bundle(b"", now()), Err("holds no certificate".to_owned()));
        assert_eq!(
            check_bundle(ROOT.as_bytes(), before),
            Err("is valid only in 213 d".to_owned())
        );
        assert_eq!(
            check_bundle(INTERMEDIATE.as_bytes(), after),
            Err("expired 6 d ago".to_owned())
        );
        assert_eq!(
            check_bundle(format!("{INTERMEDIATE}{ROOT}").as_bytes(), after),
            Ok(())
        );
    }

    #[test]
    fn copies_of_the_root_are_compared_with_it() {
        let mut facts = secret("istio-ca-secret", &[("ca-cert.pem", ROOT), ("ca-key.pem", "")]);
        let copy = |namespace: &str, text: &str| serde_json::json!({"metadata": {"name": "istio-ca-root-cert", "namespace": namespace}, "data": {"root-cert.pem": text}});
        facts.root_certificates =
            Ok(
                serde_json::from_value(serde_json::json!([copy("a", ROOT), copy("b", LEAF)]))
                    .expect("copies"),
            );
        let outcome = read(root_copies(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(outcome.detail, ["b/istio-ca-root-cert"]);
    }

    #[test]
    fn durations_have_one_unit() {
        for (seconds, text) in [
            (-5, "0 s"),
            (59, "59 s"),
            (3600, "1 h"),
            (90_000, "1 d"),
            (200, "3 min"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_certificates(text in "(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=]{0,80}\n-----END CERTIFICATE-----\n|[ -~\n]{0,60}){0,4}") {
            let _ = check_bundle(text.as_bytes(), now());
        }
    }
}
