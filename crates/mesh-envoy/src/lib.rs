//! What an Envoy holds: reads config dumps, and evaluates requests against them.
