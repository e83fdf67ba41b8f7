//! The first page: who somebody is here, and what they may do where.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hitl_core::{Namespaces, Principal, Right};

use super::Visit;
use crate::http::{Site, page};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    name: &'a str,
    /// Roles, each with where it is held.
    roles: Vec<(String, String)>,
    form_token: String,
    can_sign_out: bool,
}

/// Shows it.
pub(in crate::http) async fn home(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    let visitor = &visit.visitor;
    let everything = || vec![("everything".to_owned(), "all namespaces".to_owned())];
    let (name, roles) = match &visitor.principal {
        Principal::Known(known) => (known.name.as_str(), known.rights.iter().map(row).collect()),
        Principal::Owner => ("the user of this machine", everything()),
        // Nobody has to sign in, so there is nothing to say.
        Principal::Anyone | Principal::Link(_) => return page::nothing_here(),
    };
    let page = Home {
        name,
        roles,
        form_token: site.links.form_token(&visitor.form_id),
        can_sign_out: visitor.session.is_some(),
    };
    let page = page::html(StatusCode::OK, &page);
    visit.reply(page)
}

fn row(right: &Right) -> (String, String) {
    let roles: Vec<_> = right.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
    let namespaces = match &right.namespaces {
        Namespaces::All => "all namespaces".to_owned(),
        Namespaces::Only(names) => {
            names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
    };
    (roles.join(", "), namespaces)
}
