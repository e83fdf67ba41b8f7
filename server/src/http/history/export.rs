//! `GET /history/export`: what the history shows, as CSV or JSON, sent as it is read.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and who answers decides how a cell
//! begins. Such cells begin with an apostrophe, which a spreadsheet shows as text.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hitl_core::{Event, Principal};
use hitl_service::{SearchQuery, Session, Sort};

use super::query::Wanted;
use super::row::{by, said, way, word};
use crate::api::Caller;
use crate::http::error::Failure;
use crate::http::form::plain_title;
use crate::http::sign_in::Visit;
use crate::http::{Site, page};
use crate::json::to_json;
use hitl_service::error::Error;

/// Most events of an export. Who wants more takes one day after the other, or `hitl export`.
const EVENTS_MAX: usize = 10_000;
/// Events read at a time.
const PAGE_SIZE: usize = 100;
/// The columns of CSV.
const COLUMNS: &str = "ended,namespace,id,name,question,run,outcome,answer,comment,by,way,asked,took_seconds,\
                       labels\r\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

/// An export under way.
struct Export {
    site: Arc<Site>,
    session: Session,
    caller: Caller,
    format: Format,
    query: SearchQuery,
    sent: usize,
    state: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Rows,
    Over,
}

pub(in crate::http) async fn export(
    State(site): State<Arc<Site>>,
    visit: Visit,
    uri: Uri,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let wanted = Wanted::of(query);
    let format = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "format");
    let (format, kind, name) = match format.as_ref().map_or("", |(_, format)| format) {
        "csv" => (Format::Csv, "text/csv; charset=utf-8", "attachment; filename=\"history.csv\""),
        "json" => (Format::Json, "application/json", "attachment; filename=\"history.json\""),
        _ => return page::nothing_here(),
    };
    let principal = visit.visitor.principal.clone();
    let session = site.service.session(principal.clone());
    let query = SearchQuery {
        filter: wanted.filter(session.visible(), site.now()),
        sort: Sort::Deadline,
        page_size: PAGE_SIZE,
        page_token: String::new(),
    };
    let caller = caller(principal);
    let export = Export { site, session, caller, format, query, sent: 0, state: Stage::Begin };
    let mut export = export;
    // Whatever keeps it from beginning is said in a reply of its own.
    let first = match export.next().await {
        Ok(first) => first,
        Err(error) => {
            let (status, _) = Failure::Api(error).status_and_body();
            let message = "The history cannot be read at the moment. Try again in a moment.";
            return page::notice(status, "Not just now", message);
        }
    };
    let rest = stream::try_unfold(export, |mut export| async {
        match export.state {
            Stage::Over => Ok(None),
            _ => export.next().await.map(|bytes| Some((bytes, export))),
        }
    });
    let all = futures::StreamExt::chain(stream::iter([Ok::<_, Error>(first)]), rest);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    visit.reply((headers, Body::from_stream(all)).into_response())
}

/// Whom messages are made for: nobody who gets links.
fn caller(principal: Principal) -> Caller {
    Caller { principal, channel: hitl_core::Channel::Http, address: String::new() }
}

impl Export {
    /// The next part of it.
    async fn next(&mut self) -> Result<Bytes, Error> {
        let mut text = String::new();
        if self.state == Stage::Begin {
            text.push_str(if self.format == Format::Csv { COLUMNS } else { "[" });
            self.state = Stage::Rows;
        }
        let _call = self.site.admission.call(self.session.payer())?;
        let _turn = self.site.admission.page(self.session.payer()).await?;
        let page = self.session.search(&self.query).await?.page;
        let events = &page.events[..page.events.len().min(EVENTS_MAX - self.sent)];
        for event in events {
            match self.format {
                Format::Csv => text.push_str(&line(event)),
                Format::Json => {
                    let mut message = self.site.api.to_proto(event, &self.caller);
                    message.form_url.clear();
                    message.api_url.clear();
                    text.push_str(if self.sent == 0 { "\n" } else { ",\n" });
                    text.push_str(&to_json(&message).to_string());
                }
            }
            self.sent += 1;
        }
        self.query.page_token = page.next_page_token;
        if self.query.page_token.is_empty() || self.sent >= EVENTS_MAX {
            self.state = Stage::Over;
            text.push_str(if self.format == Format::Csv { "" } else { "\n]\n" });
        }
        Ok(text.into())
    }
}

/// `event` as a line of CSV.
fn line(event: &Event) -> String {
    let Some(response) = &event.response else { return String::new() };
    let request = &*event.request;
    let labels = request.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let responder = response.responder.as_ref();
    let took_s = response.time.ms_since(request.create_time) / 1000;
    let cells = [
        response.time.to_string(),
        request.namespace.to_string(),
        request.id.to_string(),
        request.name.clone(),
        plain_title(request),
        request.scope.clone(),
        word(&response.outcome).to_owned(),
        said(event, response),
        response.comment.clone(),
        by(responder),
        responder.map_or("", |responder| way(responder.channel)).to_owned(),
        request.create_time.to_string(),
        took_s.to_string(),
        labels.collect::<Vec<_>>().join("; "),
    ];
    format!("{}\r\n", cells.map(|text| cell(&text)).join(","))
}

/// One cell, which no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let is_formula =
        text.trim_start().starts_with(['=', '+', '-', '@']) || text.starts_with(['\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        for (text, written) in [
            ("plain", "\"plain\""),
            ("a \"b\", c\nd", "\"a \"\"b\"\", c\nd\""),
            ("=1+1", "\"'=1+1\""),
            ("+49", "\"'+49\""),
            ("-5", "\"'-5\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("  =1", "\"'  =1\""),
            ("\t=1", "\"'\t=1\""),
            ("", "\"\""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
