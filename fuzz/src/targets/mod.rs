//! The table of targets.

mod cookies;
mod create;
mod credentials;
mod drafts;
mod form;
mod json;
mod jwt;
mod links;
mod markdown;
mod patterns;
mod questions;
mod records;
mod reviews;
mod schema;
mod tokens;
mod typed;

use crate::Target;

/// All of them.
pub(crate) const ALL: &[Target] = &[
    Target { name: "cookies", run: cookies::run },
    Target { name: "create", run: create::run },
    Target { name: "credentials", run: credentials::run },
    Target { name: "drafts", run: drafts::run },
    Target { name: "form", run: form::run },
    Target { name: "json", run: json::run },
    Target { name: "jwt", run: jwt::run },
    Target { name: "links", run: links::run },
    Target { name: "markdown", run: markdown::run },
    Target { name: "patterns", run: patterns::run },
    Target { name: "records", run: records::run },
    Target { name: "reviews", run: reviews::run },
    Target { name: "schema", run: schema::run },
    Target { name: "tokens", run: tokens::run },
    Target { name: "typed", run: typed::run },
];

/// The input in two: what stands before its first line feed, and what stands after.
fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..at], input.get(at + 1..).unwrap_or_default())
}

/// The first byte as a choice among `count`, and the rest.
fn choice(input: &[u8], count: usize) -> Option<(usize, &[u8])> {
    let (first, rest) = input.split_first()?;
    Some((usize::from(first.wrapping_sub(b'0')) % count, rest))
}
