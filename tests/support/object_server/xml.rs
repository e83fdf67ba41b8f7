//! The documents that go over the wire.

use serde::{Deserialize, Serialize};

/// An answer to a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase", rename = "ListBucketResult")]
pub(super) struct ListBucketResult {
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) key_count: usize,
    pub(super) max_keys: usize,
    pub(super) is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_continuation_token: Option<String>,
    pub(super) contents: Vec<Contents>,
    pub(super) common_prefixes: Vec<CommonPrefix>,
}

/// An object of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Contents {
    pub(super) key: String,
    pub(super) last_modified: String,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
    pub(super) size: usize,
}

/// What several keys of a list have in common.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CommonPrefix {
    pub(super) prefix: String,
}

/// A refusal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Error<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

/// What to delete, all at once.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Delete {
    #[serde(rename = "@xmlns")]
    _namespace: Option<String>,
    pub(super) object: Vec<DeleteObject>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DeleteObject {
    pub(super) key: String,
}

/// What was deleted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase", rename = "DeleteResult")]
pub(super) struct DeleteResult {
    pub(super) deleted: Vec<Deleted>,
}

/// One of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Deleted {
    pub(super) key: String,
}

/// `document` with the line that says that it is XML.
pub(super) fn write(document: &impl Serialize) -> String {
    let body = quick_xml::se::to_string(document).expect("the documents are plain");
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}")
}
