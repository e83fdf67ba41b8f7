//! The page of the audit, for auditors and admins: who got in, who was refused, and what became of tokens and keys.

mod query;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use hitl_core::{AuditEntry, AuditKind, CredentialKind, Namespaces};
use hitl_service::{AuditPage, AuditQuery, Error};

use super::error::Failure;
use super::form::When;
use super::nav::Nav;
use super::render::Renderer;
use super::sign_in::Visit;
use super::{Site, page};
use query::Wanted;

/// Most entries of a page.
const ROWS_MAX: usize = 100;

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    wanted: Wanted,
    /// The names of all kinds, each with whether it is the one that is asked for.
    kinds: Vec<(&'static str, bool)>,
    rows: Vec<Row>,
    /// Where the next page is; empty if there is none.
    older: String,
    is_first: bool,
    has_damage: bool,
    nav: Nav,
}

struct Row {
    time: When,
    kind: &'static str,
    /// Whether somebody was refused.
    is_refusal: bool,
    who: String,
    address: String,
    /// Namespace, action and id, as far as there are any.
    about: String,
    detail: String,
    count: u64,
}

/// Shows it.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    Extension(renderer): Extension<Renderer>,
    visit: Visit,
    uri: Uri,
) -> Response {
    let wanted = Wanted::of(uri.query().unwrap_or_default());
    let visitor = &visit.visitor;
    let session = site.service.session(visitor.principal.clone()).from_address(visitor.address);
    let listed = async {
        let _call = site.admission.call(session.payer())?;
        let _turn = site.admission.page(session.payer()).await?;
        let namespaces = match (session.audited(), &wanted.namespace) {
            (_, Some(namespace)) => Namespaces::Only([namespace.clone()].into()),
            // Whoever may see nothing of it asks for all, and is refused.
            (Namespaces::Only(none), None) if none.is_empty() => Namespaces::All,
            (all, None) => all,
        };
        let query = AuditQuery {
            filter: wanted.filter(namespaces),
            page_size: ROWS_MAX,
            page_token: wanted.page_token.clone(),
        };
        session.list_audit(&query).await
    };
    let listed = match listed.await {
        Ok(listed) => listed,
        Err(error) => return visit.reply(not_shown(error)),
    };
    let nav = Nav::of(&visitor.principal, "audit");
    let page = page::draw(&renderer, move || draw(wanted, listed, nav)).await;
    visit.reply(page)
}

fn not_shown(error: Error) -> Response {
    let message = match &error {
        Error::PermissionDenied(_) => {
            "Your roles do not let you read this part of the audit: auditors and admins do."
        }
        Error::InvalidRequest(_) => {
            "The address of this page is not understood. Go to the beginning of the audit."
        }
        _ => "The audit cannot be read at the moment. Nothing was changed. Try again in a moment.",
    };
    let (status, _) = Failure::Api(error).status_and_body();
    page::notice(status, "The audit is not shown", message)
}

fn draw(wanted: Wanted, listed: AuditPage, nav: Nav) -> Response {
    let older = match listed.next_page_token.as_str() {
        "" => String::new(),
        token => wanted.address_of(token),
    };
    let audit = Audit {
        is_first: wanted.page_token.is_empty(),
        kinds: AuditKind::ALL.map(|kind| (kind.name(), kind.name() == wanted.kind)).to_vec(),
        rows: listed.entries.into_iter().map(Row::of).collect(),
        older,
        has_damage: !listed.unreadable.is_empty(),
        nav,
        wanted,
    };
    page::html(StatusCode::OK, &audit)
}

impl Row {
    fn of(entry: AuditEntry) -> Self {
        let namespace = entry.namespace.map(|namespace| namespace.to_string()).unwrap_or_default();
        let about = [namespace, entry.action, entry.subject];
        let about: Vec<_> = about.into_iter().filter(|part| !part.is_empty()).collect();
        let is_refusal = entry.kind == AuditKind::Refusal;
        let who = match (entry.who.name.as_str(), entry.who.known_by) {
            ("", CredentialKind::None) if is_refusal => "nobody who is known",
            ("", CredentialKind::None) => "a server",
            ("", CredentialKind::Owner) => "the user of the machine",
            ("", CredentialKind::Link) => "whoever has a link",
            ("", _) => &entry.who.id,
            (name, _) => name,
        };
        Self {
            time: When {
                machine: entry.time.to_string(),
                human: entry.time.utc().format("%Y-%m-%d %H:%M:%S").to_string(),
            },
            kind: entry.kind.name(),
            is_refusal,
            who: who.to_owned(),
            address: entry.address,
            about: about.join(" "),
            detail: entry.detail,
            count: entry.count,
        }
    }
}
