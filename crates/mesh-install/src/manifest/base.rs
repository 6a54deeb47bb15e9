//! The namespaces, the resource definitions, and the account with which other clusters read this one.

use std::collections::BTreeSet;

use mesh_core::k8s_openapi::api::core::v1::Namespace;
use mesh_core::schema::export;
use serde_json::Value;

use super::Part;
use super::parts::{object, service_account};

/// The account with which other clusters read this one.
pub(super) const READER: &str = "istio-reader-service-account";

/// The label of the network that the pods of a namespace are in.
const NETWORK: &str = "topology.istio.io/network";

/// Namespaces that every cluster has.
const BUILT_IN: [&str; 2] = ["default", "kube-system"];

pub(super) fn objects(part: Part<'_>) -> Vec<Value> {
    let spec = part.context.spec;
    let values = part.context.values();
    let mut objects = namespaces(part);
    if values.base.enable_istio_config_crds {
        objects.extend(definitions(part));
    }
    if values.global.enable_reader_rbac {
        let metadata = part.metadata(spec.namespace(), READER, "istio-reader");
        objects.push(object(&service_account(
            metadata,
            &values.global.image_pull_secrets,
        )));
    }
    objects
}

fn namespaces(part: Part<'_>) -> Vec<Value> {
    let spec = part.context.spec;
    let components = &spec.control_plane.components;
    let own = spec.namespace();
    let parts = [&components.pilot, &components.cni, &components.ztunnel]
        .into_iter()
        .filter(|part| part.enabled)
        .map(|part| part.namespace.as_str());
    let gateways = components
        .ingress_gateways
        .iter()
        .chain(&components.egress_gateways)
        .filter(|gateway| gateway.enabled)
        .map(|gateway| gateway.namespace.as_str());
    let others: BTreeSet<&str> = parts.chain(gateways).filter(|name| !name.is_empty()).collect();
    let others = others.into_iter().filter(|name| *name != own);
    std::iter::once(own)
        .chain(others)
        .filter(|name| !BUILT_IN.contains(name))
        .map(|name| {
            let mut metadata = part.metadata("", name, "istio");
            let network = &part.context.values().global.network;
            if let Some(labels) = &mut metadata.labels {
                // A namespace outlives revisions, and with this label it would be injected.
                labels.remove("istio.io/rev");
                if name == own && !network.is_empty() {
                    labels.insert(NETWORK.to_owned(), network.clone());
                }
            }
            object(&Namespace {
                metadata,
                ..Namespace::default()
            })
        })
        .collect()
}

fn definitions(part: Part<'_>) -> impl Iterator<Item = Value> {
    let excluded = &part.context.values().base.excluded_crds;
    let mut labels = part.labels("istio");
    // All revisions share them.
    labels.remove("istio.io/rev");
    let labels = object(&labels);
    export::crds()
        .into_iter()
        .filter(|definition| {
            let name = definition.pointer("/metadata/name").and_then(Value::as_str);
            !name.is_some_and(|name| excluded.iter().any(|excluded| excluded == name))
        })
        .map(move |mut definition| {
            definition["metadata"]["labels"] = labels.clone();
            definition
        })
}
