//! What buf cannot check: the comment of a field begins by saying how the field behaves.

use std::sync::LazyLock;

use regex::Regex;

use super::Finding;
use crate::tree::Tree;

/// Words, not `google.api.field_behavior`: the annotation would pull a package into every SDK.
const BEHAVIOURS: &[&str] = &["Required.", "Optional.", "Output only.", "Immutable."];

static FIELD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\w.<>, ]+ \w+ = \d+\b").expect("a constant pattern"));

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Message,
    Other,
}

/// Fields, and oneofs in place of their members, say whether they are required.
pub(crate) fn behaviour(tree: &Tree) -> Vec<Finding> {
    let protos = tree.files().filter(|(path, _)| path.ends_with(".proto"));
    protos.flat_map(|(path, text)| unmarked(path, text)).collect()
}

/// Goes by lines: `buf format` has put one thing on each.
fn unmarked(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    let mut comment: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("//") {
            comment = comment.or(Some(text.trim_start()));
            continue;
        }
        let is_member = FIELD.is_match(line) || line.starts_with("oneof ");
        let marked =
            comment.is_some_and(|text| BEHAVIOURS.iter().any(|word| text.starts_with(word)));
        if is_member && blocks.last() == Some(&Block::Message) && !marked {
            findings.push(Finding {
                path: path.to_owned(),
                line: index + 1,
                what: format!("the comment of `{line}` does not say how it behaves"),
                fix: "begin it with Required., Optional., Output only. or Immutable.",
            });
        }
        if line.ends_with('{') {
            let is_message = line.starts_with("message ");
            blocks.push(if is_message { Block::Message } else { Block::Other });
        } else if line.starts_with('}') {
            blocks.pop();
        }
        comment = None;
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn a_field_without_behaviour_is_found() {
        let text = "message A {\n  // The name.\n  string name = 1;\n\n  // Optional. Labels.\n  \
            map<string, string> labels = 2;\n  // One.\n  oneof x {\n    // An a.\n    a.B a = 3;\n  }\n  \
            repeated int32 bare = 4 [deprecated = true];\n}\n";
        let found = behaviour(&Tree::of(&[("a.proto", text)]));
        assert_eq!(places(&found), ["a.proto:3", "a.proto:8", "a.proto:12"]);
    }

    #[test]
    fn marked_fields_enums_and_services_are_fine() {
        let text = "message A {\n  // Output only. An id,\n  // of any length.\n  string id = 1;\n}\n\
            message Empty {}\n// States.\nenum S {\n  // None.\n  S_UNSPECIFIED = 0;\n}\n\
            service X {\n  // Gets.\n  rpc Get(A) returns (A) {\n    option idempotency_level = IDEMPOTENT;\n  }\n}\n";
        assert_eq!(behaviour(&Tree::of(&[("a.proto", text)])), []);
    }
}
