//! What a control plane is made of, and whether a cluster can take it.
