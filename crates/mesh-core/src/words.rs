//! What messages have in common.

/// `1 pod`, `2 pods`; nouns with irregular plurals are not used.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
