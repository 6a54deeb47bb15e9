//! What an HTTP connection manager does to a path and a host before it looks for a route.

use crate::config::listener::{EscapedSlashes, HttpConnectionManager};

/// What became of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Normalized {
    /// It goes on with this one.
    Path(String),
    /// The client is told to come back with this one.
    Redirect(String),
    /// The request is refused.
    Rejected,
}

/// Applies `path_with_escaped_slashes_action`, `normalize_path` and `merge_slashes`, in this order.
pub(super) fn normalize(http: &HttpConnectionManager, path: &str) -> Normalized {
    let (mut path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut redirect = false;
    let unescaped = unescape_slashes(path);
    if unescaped != path {
        match http.path_with_escaped_slashes_action {
            EscapedSlashes::Reject => return Normalized::Rejected,
            EscapedSlashes::UnescapeAndRedirect => redirect = true,
            _ => {}
        }
        if redirect || http.path_with_escaped_slashes_action == EscapedSlashes::UnescapeAndForward {
            path = &unescaped;
        }
    }
    let mut path = path.to_owned();
    if http.normalize_path == Some(true) {
        match canonical(&path) {
            Some(canonical) => path = canonical,
            None => return Normalized::Rejected,
        }
    }
    if http.merge_slashes {
        path = merge_slashes(&path);
    }
    path.push_str(query);
    if redirect {
        Normalized::Redirect(path)
    } else {
        Normalized::Path(path)
    }
}

fn unescape_slashes(path: &str) -> String {
    path.replace("%2F", "/")
        .replace("%2f", "/")
        .replace("%5C", "\\")
        .replace("%5c", "\\")
}

fn merge_slashes(path: &str) -> String {
    if !path.contains("//") {
        return path.to_owned();
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let slash = |has: bool| if has { "/" } else { "" };
    // A path of slashes alone keeps two.
    format!(
        "{}{}{}",
        slash(path.starts_with('/')),
        parts.join("/"),
        slash(path.ends_with('/'))
    )
}

/// The canonical form by the URL standard: dot segments are resolved, a backslash is a slash, unreserved characters are
/// not escaped and some others are. `None` if it has an escaped NUL, which has no canonical form.
fn canonical(path: &str) -> Option<String> {
    let mut segments: Vec<String> = Vec::new();
    let path = path.replace('\\', "/");
    let mut parts = path.strip_prefix('/').unwrap_or(&path).split('/').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let part = canonical_segment(part)?;
        match part.split(';').next() {
            Some(".") => {}
            Some("..") => {
                segments.pop();
            }
            _ => {
                segments.push(part);
                continue;
            }
        }
        if is_last {
            segments.push(String::new());
        }
    }
    Some(format!("/{}", segments.join("/")))
}

fn canonical_segment(segment: &str) -> Option<String> {
    let mut out = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match character {
            '%' => {
                let hex = rest
                    .get(..2)
                    .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
                match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    Some(0) => return None,
                    Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                        out.push(char::from(byte));
                        rest = &rest[2..];
                    }
                    _ => out.push('%'),
                }
            }
            '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}' => {
                out.extend(["%", &format!("{:02X}", u32::from(character))]);
            }
            other => out.push(other),
        }
    }
    Some(out)
}

/// Applies the options that strip a port or a trailing dot from the host. `port` is the one that was connected to.
pub(super) fn normalize_host(
    http: &HttpConnectionManager,
    method: &str,
    host: &str,
    port: Option<u16>,
) -> String {
    let mut host = host.to_owned();
    if http.strip_trailing_host_dot
        && let Some(dot) = host.rfind('.')
        && (dot + 1 == host.len() || host[dot + 1..].starts_with(':'))
    {
        host.remove(dot);
    }
    let only = if http.strip_any_host_port {
        None
    } else if http.strip_matching_host_port {
        port
    } else {
        return host;
    };
    // A CONNECT request's port says where to.
    if method == "CONNECT" {
        return host;
    }
    if let Some(start) = port_start(&host)
        && let Ok(stated) = host[start + 1..].parse::<u32>()
        && only.is_none_or(|port| u32::from(port) == stated)
    {
        host.truncate(start);
    }
    host
}

/// Where the colon of a host's port is.
pub(super) fn port_start(host: &str) -> Option<usize> {
    let colon = host.rfind(':')?;
    // An IPv6 address is in brackets.
    host.rfind(']').is_none_or(|end| end < colon).then_some(colon)
}
