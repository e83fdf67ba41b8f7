//! Finds the paths, such as `crate::store::Store`, that a Rust source names.
//!
//! It reads tokens, not text, so that comments and strings cannot fool it, and not a syntax tree,
//! so that paths within macro calls count too.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path of at least two parts, or one alone in a `use`.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) parts: Vec<String>,
    pub(crate) line: usize,
    /// How many inline modules surround it: `super` leaves those first.
    pub(crate) depth: usize,
    /// Whether it is within `mod tests { … }`.
    pub(crate) in_tests: bool,
}

/// Every path that `source` names. What the compiler cannot read names nothing.
pub(crate) fn named(source: &str) -> Vec<Named> {
    let mut paths = Vec::new();
    if let Ok(tokens) = source.parse::<TokenStream>() {
        walk(&trees(tokens), 0, false, &mut paths);
    }
    paths
}

fn walk(tokens: &[TokenTree], depth: usize, in_tests: bool, found: &mut Vec<Named>) {
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                let module = module_name(tokens, at);
                let depth = depth + usize::from(module.is_some());
                let in_tests = in_tests || module.as_deref() == Some("tests");
                walk(&trees(group.stream()), depth, in_tests, found);
                at += 1;
            }
            TokenTree::Ident(_) if starts_path(tokens, at) => {
                let mut paths = Vec::new();
                let end = read_path(tokens, at, &[], &mut paths);
                let in_use = at > 0 && ["use", "crate"].contains(&text(&tokens[at - 1]).as_str());
                let named = paths.into_iter().filter(|(parts, _)| in_use || parts.len() > 1);
                found.extend(named.map(|(parts, line)| Named { parts, line, depth, in_tests }));
                at = end;
            }
            _ => at += 1,
        }
    }
}

/// The name in `mod name { … }`, if the group at `at` is such a body.
fn module_name(tokens: &[TokenTree], at: usize) -> Option<String> {
    let is_module = at >= 2 && text(&tokens[at - 2]) == "mod";
    is_module.then(|| text(&tokens[at - 1]))
}

/// Not in the middle of a path, and not a field or a method.
fn starts_path(tokens: &[TokenTree], at: usize) -> bool {
    at == 0 || {
        let before = text(&tokens[at - 1]);
        before != "."
            && !(before == ":"
                && at >= 2
                && text(&tokens[at - 2]) == ":"
                && at >= 3
                && matches!(&tokens[at - 3], TokenTree::Ident(_)))
    }
}

/// Reads `a::b` or `a::{b, c::d}` from `at`; returns where it ends.
fn read_path(
    tokens: &[TokenTree],
    mut at: usize,
    prefix: &[String],
    paths: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let line = tokens[at].span().start().line;
    let mut parts = prefix.to_vec();
    parts.push(text(&tokens[at]));
    at += 1;
    while is(tokens, at, ":") && is(tokens, at + 1, ":") {
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(ident)) => parts.push(ident.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                read_group(&trees(group.stream()), &parts, paths);
                return at + 3;
            }
            _ => break,
        }
        at += 3;
    }
    paths.push((parts, line));
    at
}

fn read_group(tokens: &[TokenTree], prefix: &[String], paths: &mut Vec<(Vec<String>, usize)>) {
    let mut at = 0;
    while at < tokens.len() {
        if matches!(&tokens[at], TokenTree::Ident(_)) {
            at = read_path(tokens, at, prefix, paths);
        }
        // Past `as name`, `*` and what else an entry may end with.
        while at < tokens.len() && !is(tokens, at, ",") {
            at += 1;
        }
        at += 1;
    }
}

fn is(tokens: &[TokenTree], at: usize, punctuation: &str) -> bool {
    tokens.get(at).is_some_and(|token| text(token) == punctuation)
}

/// Groups have no text here: printing their whole contents for each token is slow.
fn text(token: &TokenTree) -> String {
    match token {
        TokenTree::Ident(ident) => ident.to_string(),
        TokenTree::Punct(punctuation) => punctuation.to_string(),
        TokenTree::Group(_) | TokenTree::Literal(_) => String::new(),
    }
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        named(source).into_iter().map(|named| named.parts.join("::")).collect()
    }

    #[test]
    fn groups_are_spelled_out() {
        assert_eq!(
            paths("use crate::{store::{Store, keys::Key}, error::Error as E};"),
            ["crate::store::Store", "crate::store::keys::Key", "crate::error::Error"]
        );
    }

    #[test]
    fn bodies_macros_and_types_count() {
        assert_eq!(
            paths("fn f(a: x::A<::y::B>) { select! { _ = crate::timers::next() => {} } }"),
            ["x::A", "y::B", "crate::timers::next"]
        );
    }

    #[test]
    fn comments_strings_fields_and_locals_do_not_count() {
        assert_eq!(paths("//! rand::x\nfn f() { let rand = \"rand::x\"; rand.tokio; }"), [""; 0]);
    }

    #[test]
    fn a_use_of_a_crate_alone_counts() {
        assert_eq!(paths("use tonic;\nextern crate axum;"), ["tonic", "axum"]);
    }

    #[test]
    fn depth_lines_and_tests_are_known() {
        let found = named("use a::b;\nmod tests {\n    use super::c;\n}");
        assert_eq!((found[0].line, found[0].depth, found[0].in_tests), (1, 0, false));
        assert_eq!((found[1].line, found[1].depth, found[1].in_tests), (3, 1, true));
    }
}
