//! Evidence, from messages to the domain and back.

use hitl_core::{Content, Diff, Evidence, Fact};
use hitl_proto::v1;
use hitl_proto::v1::diff_evidence::Diff as ProtoDiff;
use hitl_proto::v1::evidence::Content as Proto;

use hitl_service::error::Error;

/// The items as the domain has them.
pub(super) fn items(items: Vec<v1::Evidence>) -> Result<Vec<Evidence>, Error> {
    let mut read = Vec::with_capacity(items.len());
    for (at, v1::Evidence { title, note, content }) in items.into_iter().enumerate() {
        read.push(Evidence { title, note, content: content_of(at, content)? });
    }
    Ok(read)
}

fn content_of(at: usize, content: Option<Proto>) -> Result<Content, Error> {
    Ok(match content {
        Some(Proto::Facts(v1::FactsEvidence { facts })) => {
            let fact = |v1::Fact { label, value, url }| Fact { label, value, url };
            Content::Facts(facts.into_iter().map(fact).collect())
        }
        Some(Proto::Text(v1::TextEvidence { text })) => Content::Text(text),
        Some(Proto::Code(v1::CodeEvidence { code, language })) => Content::Code { code, language },
        Some(Proto::Json(v1::JsonEvidence { json })) => Content::Json(json),
        Some(Proto::Diff(v1::DiffEvidence { diff })) => Content::Diff(match diff {
            Some(ProtoDiff::Texts(v1::DiffTexts { before, after })) => {
                Diff::Texts { before, after }
            }
            Some(ProtoDiff::Unified(text)) => Diff::Unified(text),
            None => {
                let message = "is required: give texts or unified";
                return Err(Error::invalid(&format!("evidence[{at}].diff.diff"), message));
            }
        }),
        Some(Proto::Table(v1::TableEvidence { columns, rows })) => {
            Content::Table { columns, rows: rows.into_iter().map(|row| row.cells).collect() }
        }
        Some(Proto::Link(v1::LinkEvidence { url, label })) => Content::Link { url, label },
        None => {
            let message = "is required: give facts, text, code, json, diff, table or link";
            return Err(Error::invalid(&format!("evidence[{at}].content"), message));
        }
    })
}

/// One item as a message.
pub(super) fn item(Evidence { title, note, content }: &Evidence) -> v1::Evidence {
    let content = match content.clone() {
        Content::Facts(facts) => {
            let fact = |Fact { label, value, url }| v1::Fact { label, value, url };
            Proto::Facts(v1::FactsEvidence { facts: facts.into_iter().map(fact).collect() })
        }
        Content::Text(text) => Proto::Text(v1::TextEvidence { text }),
        Content::Code { code, language } => Proto::Code(v1::CodeEvidence { code, language }),
        Content::Json(json) => Proto::Json(v1::JsonEvidence { json }),
        Content::Diff(diff) => {
            let diff = match diff {
                Diff::Texts { before, after } => ProtoDiff::Texts(v1::DiffTexts { before, after }),
                Diff::Unified(text) => ProtoDiff::Unified(text),
            };
            Proto::Diff(v1::DiffEvidence { diff: Some(diff) })
        }
        Content::Table { columns, rows } => {
            let rows = rows.into_iter().map(|cells| v1::TableRow { cells }).collect();
            Proto::Table(v1::TableEvidence { columns, rows })
        }
        Content::Link { url, label } => Proto::Link(v1::LinkEvidence { url, label }),
    };
    v1::Evidence { title: title.clone(), note: note.clone(), content: Some(content) }
}
