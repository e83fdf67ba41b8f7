//! The reference of the API: every service, message and enumeration of the protos, with the comments that stand there.

use std::fmt::Write;

use crate::tree::Tree;

const PROTOS: &str = "proto/hitl/v1/";

/// What a line of a proto is, as `buf format` writes it.
enum Line<'a> {
    Comment(&'a str),
    /// A service, message, enumeration or oneof begins.
    Open {
        kind: &'a str,
        name: &'a str,
        is_empty: bool,
    },
    /// A field, a value or a call, which may have a body of its own.
    Item {
        text: &'a str,
        opens: bool,
    },
    Close,
    Other,
}

/// The page.
pub(super) fn page(tree: &Tree) -> String {
    let mut page = String::from(
        "# API reference\n\nMade from the protos of `hitl.v1`. Over JSON, fields are in lowerCamelCase, and \
         `/v1/openapi.json` of every server describes the routes.\n",
    );
    let protos =
        tree.files().filter(|(path, _)| path.starts_with(PROTOS) && path.ends_with(".proto"));
    let mut protos: Vec<_> = protos.collect();
    // Services first: whoever reads it begins with what can be called.
    protos.sort_by_key(|(path, _)| (!path.ends_with("_service.proto"), *path));
    for (_, text) in protos {
        file(&mut page, text);
    }
    page
}

fn file(page: &mut String, text: &str) {
    let (mut comment, mut depth) = (Vec::new(), 0_usize);
    let mut is_table = false;
    for line in text.lines() {
        match parse(line) {
            Line::Comment(said) => comment.push(said),
            Line::Open { kind, name, is_empty } => {
                let said = comment.join(" ");
                if depth == 0 {
                    let _ = write!(page, "\n## {name}\n\n{kind}. {said}\n");
                    is_table = false;
                } else {
                    row(page, &mut is_table, &format!("one of `{name}`"), &said);
                }
                comment.clear();
                depth += usize::from(!is_empty);
            }
            Line::Item { text, opens } if depth > 0 => {
                row(page, &mut is_table, &format!("`{text}`"), &comment.join(" "));
                comment.clear();
                depth += usize::from(opens);
            }
            Line::Close => depth = depth.saturating_sub(1),
            Line::Item { .. } | Line::Other => comment.clear(),
        }
    }
}

fn row(page: &mut String, is_table: &mut bool, item: &str, said: &str) {
    if !*is_table {
        page.push_str("\n| | |\n|---|---|\n");
        *is_table = true;
    }
    let _ = writeln!(page, "| {item} | {} |", said.replace('|', "\\|"));
}

fn parse(line: &str) -> Line<'_> {
    let line = line.trim();
    if let Some(comment) = line.strip_prefix("//") {
        return Line::Comment(comment.trim());
    }
    if line == "}" {
        return Line::Close;
    }
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    match first {
        "service" | "message" | "enum" | "oneof" if line.ends_with(['{', '}']) => {
            let kind = match first {
                "service" => "Service",
                "message" => "Message",
                "enum" => "Enumeration",
                _ => "One of",
            };
            let name = words.next().unwrap_or_default();
            Line::Open { kind, name, is_empty: line.ends_with('}') }
        }
        "" | "syntax" | "package" | "import" | "option" | "reserved" => Line::Other,
        _ if line.ends_with([';', '{', '}']) => Line::Item {
            text: line.trim_end_matches([';', '{', '}', ' ']),
            opens: line.ends_with('{'),
        },
        _ => Line::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_there_with_what_is_said_of_it() {
        let service = "syntax = \"proto3\";\n\n// Answers.\nservice S {\n  // Does it | so.\n\
                       \x20 rpc Do(A) returns (B) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n}\n\n";
        let message = "// What is asked.\nmessage A {\n  // Its kind.\n  oneof kind {\n    // A number.\n\
                       \x20   int64 int = 1;\n  }\n}\n";
        let proto = [service, message].concat();
        let page = page(&Tree::of(&[("proto/hitl/v1/s_service.proto", &proto)]));
        for expected in [
            "## S\n\nService. Answers.\n\n| | |\n|---|---|\n| `rpc Do(A) returns (B)` | Does it \\| so. |\n",
            "## A\n\nMessage. What is asked.\n\n| | |\n|---|---|\n\
             | one of `kind` | Its kind. |\n| `int64 int = 1` | A number. |\n",
        ] {
            assert!(page.contains(expected), "{page}");
        }
    }
}
