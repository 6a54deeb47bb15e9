//! What the fast path accepts, it reads exactly as the reference path does.

use std::sync::Arc;

use mesh_yaml::{Chunk, Document, Node, Scalar, Span};
use proptest::prelude::*;

use crate::soup;

/// A tree with everything that a user of a document can see.
#[derive(Debug, PartialEq)]
enum Seen {
    Scalar(String, Span),
    Sequence(Vec<Seen>, Span, bool),
    Mapping(Vec<(String, Span, Seen)>, Span, bool),
}

fn see(node: Node<'_>) -> Seen {
    let (span, flow) = (node.span(), node.is_flow());
    match node.scalar() {
        Some(Scalar::Float(value)) => Seen::Scalar(format!("{:x}", value.to_bits()), span),
        Some(scalar) => Seen::Scalar(format!("{scalar:?}"), span),
        None if node.is_sequence() => Seen::Sequence(node.items().map(see).collect(), span, flow),
        None => {
            let entries = node
                .entries()
                .map(|entry| (entry.key.to_owned(), entry.key_span, see(entry.value)));
            Seen::Mapping(entries.collect(), span, flow)
        }
    }
}

fn compare(chunk: &Chunk, fast: &Document) {
    let text = &chunk.text()[chunk.span().range()];
    let reference = mesh_yaml::parse_chunk_by_reference(chunk);
    let Some(reference) = reference else {
        assert!(
            fast.root().is_null(),
            "only the fast path has content: {text:?}: {fast:?}"
        );
        return;
    };
    let reference = reference.unwrap_or_else(|error| panic!("only the fast path accepts {text:?}: {error}"));
    assert_eq!(see(fast.root()), see(reference.root()), "{text:?}");
    assert_eq!(fast.comments(), reference.comments(), "{text:?}");
    assert_eq!(fast.problems(), reference.problems(), "{text:?}");
    assert_eq!((fast.index(), fast.span()), (reference.index(), reference.span()));
}

/// Compares the paths on every document of a text. Returns how many the fast path accepts, and how many there are.
fn check(text: &str) -> (usize, usize) {
    let chunks = mesh_yaml::split(&Arc::from(text));
    let mut accepted = 0;
    for chunk in &chunks {
        if let Some(fast) = mesh_yaml::parse_chunk_fast(chunk) {
            compare(chunk, &fast);
            accepted += 1;
        }
    }
    (accepted, chunks.len())
}

proptest! {
    #![proptest_config(soup::config(4000))]

    #[test]
    fn on_lines_of_pieces(text in soup::soup()) {
        check(&text);
    }

    #[test]
    fn on_manifests(text in soup::manifest()) {
        check(&text);
    }

    #[test]
    fn on_manifests_with_a_change(text in soup::mutated(soup::manifest())) {
        check(&text);
    }

    #[test]
    fn on_any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        check(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn on_the_corpus_of_the_oracle() {
    for text in crate::oracle::corpus() {
        check(&text);
    }
}

/// The fast path is of no use if it declines what people write.
#[test]
fn manifests_take_the_fast_path() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut all) = (0, 0);
    for _ in 0..500 {
        let text = soup::manifest()
            .new_tree(&mut runner)
            .expect("no filters")
            .current();
        let (some, of) = check(&text);
        accepted += some;
        all += of;
    }
    assert!(
        accepted * 100 >= all * 85,
        "the fast path accepts {accepted} of {all}"
    );
}
