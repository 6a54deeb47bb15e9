//! A description as a picture: gateways → routes → subsets and services → workloads, and the policies on them.

use std::collections::BTreeMap;

use mesh_analyze::describe::{Description, Object, RouteFact};

/// Nodes and arrows, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// What stands in each node, and its shape.
    nodes: Vec<(String, Shape)>,
    ids: BTreeMap<String, usize>,
    /// From, to, and what stands at the arrow.
    arrows: Vec<(usize, usize, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Box,
    Round,
    /// For policies, which requests do not go through but under.
    Hexagon,
}

impl Picture {
    /// Draws a description.
    pub(super) fn of(description: &Description) -> Self {
        let mut picture = Self::default();
        for service in &description.services {
            let to = picture.node(&service.object, Shape::Round);
            for exposure in &service.gateways {
                let gateway = picture.node(&exposure.gateway, Shape::Box);
                let route = picture.node(&exposure.by, Shape::Box);
                picture.arrow(gateway, route, exposure.hosts.join(", "));
                picture.arrow(
                    route,
                    to,
                    exposure.routes.iter().map(label).collect::<Vec<_>>().join("; "),
                );
            }
            for source in service
                .routes
                .iter()
                .filter(|source| source.without_effect.is_none())
            {
                let clients = picture.text(&format!("clients in {}", service.client_namespace), Shape::Round);
                let from = picture.node(&source.object, Shape::Box);
                picture.arrow(clients, from, String::new());
                let labels: Vec<_> = source.routes.iter().map(label).collect();
                picture.arrow(from, to, labels.join("; "));
            }
            for policy in &service.policies {
                let from = picture.node(&policy.object, Shape::Hexagon);
                picture.arrow(from, to, "traffic policy".to_owned());
            }
            for policy in &service.attached {
                let from = picture.node(&policy.object, Shape::Hexagon);
                picture.arrow(from, to, policy.action.clone());
            }
            for workload in &service.workloads {
                let workload = picture.node(workload, Shape::Round);
                let ports: Vec<_> = service
                    .ports
                    .iter()
                    .map(|port| format!("{} → {}", port.number, port.target))
                    .collect();
                picture.arrow(to, workload, ports.join(", "));
            }
        }
        if let Some(workload) = &description.workload {
            let to = picture.node(&workload.object, Shape::Round);
            for policy in &workload.access.policies {
                let from = picture.node(&policy.object, Shape::Hexagon);
                picture.arrow(from, to, policy.action.clone());
            }
            let modes = workload
                .ports
                .iter()
                .filter_map(|port| Some((port.by.as_ref()?, port)));
            for (by, port) in modes {
                let from = picture.node(by, Shape::Hexagon);
                picture.arrow(from, to, format!("{} {}", port.port, port.mode));
            }
        }
        picture
    }

    fn node(&mut self, object: &Object, shape: Shape) -> usize {
        self.text(&object.to_string(), shape)
    }

    fn text(&mut self, text: &str, shape: Shape) -> usize {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.nodes.len();
        self.ids.insert(text.to_owned(), id);
        self.nodes.push((text.to_owned(), shape));
        id
    }

    fn arrow(&mut self, from: usize, to: usize, label: String) {
        if !self
            .arrows
            .iter()
            .any(|(a, b, text)| (*a, *b) == (from, to) && *text == label)
        {
            self.arrows.push((from, to, label));
        }
    }

    /// In the language of Mermaid.
    pub(super) fn mermaid(&self) -> String {
        // Quotes end a text, and Mermaid takes what looks like HTML or a comment for that.
        let escape = |text: &str| {
            text.replace('&', "&amp;")
                .replace('"', "&quot;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        };
        let mut text = String::from("flowchart LR\n");
        for (id, (name, shape)) in self.nodes.iter().enumerate() {
            let (open, close) = match shape {
                Shape::Box => ("[", "]"),
                Shape::Round => ("(", ")"),
                Shape::Hexagon => ("{{", "}}"),
            };
            text.push_str(&format!("  n{id}{open}\"{}\"{close}\n", escape(name)));
        }
        for (from, to, label) in &self.arrows {
            if label.is_empty() {
                text.push_str(&format!("  n{from} --> n{to}\n"));
            } else {
                text.push_str(&format!("  n{from} -->|\"{}\"| n{to}\n", escape(label)));
            }
        }
        text
    }

    /// In the language of Graphviz.
    pub(super) fn dot(&self) -> String {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut text = String::from("digraph mesh {\n  rankdir=LR;\n");
        for (id, (name, shape)) in self.nodes.iter().enumerate() {
            let shape = match shape {
                Shape::Box => "shape=box",
                Shape::Round => "shape=box, style=rounded",
                Shape::Hexagon => "shape=hexagon",
            };
            text.push_str(&format!("  n{id} [label=\"{}\", {shape}];\n", escape(name)));
        }
        for (from, to, label) in &self.arrows {
            text.push_str(&format!("  n{from} -> n{to} [label=\"{}\"];\n", escape(label)));
        }
        text.push_str("}\n");
        text
    }
}

/// What stands at the arrow of a route: its conditions, and shares if they are divided.
fn label(route: &RouteFact) -> String {
    let condition = if route.matches.is_empty() {
        "all".to_owned()
    } else {
        route.matches.join(" or ")
    };
    match route.destinations.as_slice() {
        [] => condition,
        destinations => format!("{condition}: {}", destinations.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_a_picture() {
        let mut picture = Picture::default();
        let a = picture.text("a\"]; b <i>", Shape::Box);
        let b = picture.text("b\\\" x", Shape::Hexagon);
        picture.arrow(a, b, "uri ~ \"x\"".to_owned());
        picture.arrow(a, b, "uri ~ \"x\"".to_owned());
        assert_eq!(
            picture.mermaid(),
            "flowchart LR\n  n0[\"a&quot;]; b &lt;i&gt;\"]\n  n1{{\"b\\&quot; x\"}}\n  n0 -->|\"uri ~ &quot;x&quot;\"| n1\n"
        );
        assert!(
            picture.dot().contains("label=\"b\\\\\\\" x\""),
            "{}",
            picture.dot()
        );
    }
}
