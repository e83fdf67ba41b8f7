//! Keeps the tables of `docs/access.md` true: they are made from the services and routes that there are, by the rule
//! that decides. `HITL_WRITE_DOCS=1 cargo test -p hitl-server access_doc` writes them anew.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use hitl_core::{
    Action, EventId, EventKey, Known, KnownKind, Namespace, Namespaces, Principal, Rights, Role,
    TokenId,
};

use crate::http::{Doc, route_docs};
use crate::json::descriptors;

const DOC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/access.md");
/// Between these the tables stand.
const BEGIN: &str = "<!-- made by a test: do not edit -->\n";
const END: &str = "<!-- end -->\n";

/// What it takes to use an RPC, a route or a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Create,
    List,
    Look,
    Respond,
    Comment,
    Cancel,
    HandOutLinks,
    ManageTokens,
    ManageChannels,
    ReadAudit,
    KnowItself,
    /// A good link, and no credential beside it.
    Link,
    /// Nothing.
    Open,
    /// It is a page for who has signed in with a browser; this says what they see.
    SignedIn(&'static str),
    /// It is on the way in or out.
    SignIn,
}

/// The RPCs of our services. A new one has to be added here.
fn need_of_rpc(name: &str) -> Need {
    match name {
        "CreateEvent" | "BatchCreateEvents" => Need::Create,
        "ListEvents" | "WatchEvents" => Need::List,
        "GetEvent" | "WaitEvent" | "WaitEvents" | "GetReceipt" | "ListComments" => Need::Look,
        "AnswerEvent" | "DeclineEvent" | "BatchAnswerEvents" => Need::Respond,
        "ClaimEvent" | "ReleaseEvent" | "DelegateEvent" => Need::Respond,
        "AddComment" => Need::Comment,
        "CancelEvent" | "RemindEvent" => Need::Cancel,
        "CreateLink" | "RevokeLinks" => Need::HandOutLinks,
        "CreateToken" | "ListTokens" | "RevokeToken" | "RotateToken" => Need::ManageTokens,
        "CreateChannel"
        | "ListChannels"
        | "UpdateChannel"
        | "RotateChannelSecret"
        | "DeleteChannel"
        | "TestChannel"
        | "ListDeliveries"
        | "Redeliver" => Need::ManageChannels,
        "ListAudit" | "FollowAudit" => Need::ReadAudit,
        "WhoAmI" | "ListReceiptKeys" => Need::KnowItself,
        other => panic!("who may call {other}? Say so here"),
    }
}

/// The routes that are no RPC.
fn need_of_route(method: &str, path: &str) -> Need {
    match (method, path) {
        ("get" | "post", path) if is_link(path) => Need::Link,
        ("get", "/v1/openapi.json" | "/healthz" | "/readyz" | "/metrics" | "/health") => Need::Open,
        ("get" | "post", "/events/{namespace}/{event_id}") => Need::SignedIn("as its roles say"),
        ("get", "/" | "/inbox/changes") => Need::SignedIn("what its roles let it list"),
        ("get", "/audit") => Need::SignedIn("auditors and admins: what is about their namespaces"),
        ("get", "/history" | "/history/export") => Need::SignedIn("what its roles let it list"),
        ("get" | "post", "/bulk") => Need::SignedIn("what its roles let it answer"),
        ("get", "/settings") | ("post", "/settings/look") => Need::SignedIn("yes"),
        ("post", "/settings/revoke-links") => {
            Need::SignedIn("where its roles let it hand out links")
        }
        ("post", path) if path.starts_with("/settings/") => Need::SignedIn("who may manage tokens"),
        ("post", "/channels/slack/actions") => Need::SignedIn("no: what Slack has signed alone"),
        ("get", "/account") | ("post", "/sign-out") => Need::SignedIn("yes"),
        ("post", "/sign-in/code") => Need::SignedIn("no: the owner's token alone"),
        ("get" | "post", path) if path.starts_with("/sign-in") => Need::SignIn,
        ("get", "/.well-known/hitl-receipt-keys.json") => Need::Open,
        // Each tool needs what its RPC does.
        ("post", "/mcp") => Need::KnowItself,
        ("get", "/status/{event_id}") => Need::Look,
        ("post", "/submit" | "/submit/json") => Need::Respond,
        other => panic!("who may call {other:?}? Say so here"),
    }
}

fn is_link(path: &str) -> bool {
    ["/q/", "/v1/links/", "/form/"].iter().any(|prefix| path.starts_with(prefix))
}

fn principal(role: Role, namespaces: Namespaces) -> Principal {
    Principal::Known(Arc::new(Known {
        kind: KnownKind::Token(TokenId::from_bytes([1; 8])),
        id: "1".to_owned(),
        name: String::new(),
        rights: Rights::of([role].into_iter().collect(), namespaces),
        groups: Vec::new(),
        until: None,
    }))
}

/// The columns: a heading, and who stands below it.
fn columns() -> Vec<(&'static str, Principal)> {
    let here = || Namespaces::Only([Namespace::default()].into());
    let elsewhere = Namespaces::Only(["elsewhere".parse::<Namespace>().unwrap()].into());
    let names = ["requester", "responder", "notifier", "auditor", "admin"];
    let mut all = vec![("admin of another namespace", principal(Role::Admin, elsewhere))];
    all.extend(names.into_iter().zip(Role::ALL.map(|role| principal(role, here()))));
    all.push(("admin of `*`", principal(Role::Admin, Namespaces::All)));
    all.push(("owner", Principal::Owner));
    all.push(("`--insecure`", Principal::Anyone));
    all
}

fn may(principal: &Principal, need: Need) -> bool {
    let namespace = Namespace::default();
    let key = EventKey { namespace: namespace.clone(), id: EventId::from_bytes([1; 16]) };
    let action = match need {
        Need::Create => Action::Create(&namespace),
        Need::List => Action::List(&namespace),
        Need::Look => Action::Look(&key),
        Need::Respond => Action::Respond(&key),
        Need::Comment => Action::Comment(&key),
        Need::Cancel => Action::Cancel(&key),
        Need::HandOutLinks => Action::HandOutLinks(&namespace),
        Need::ManageTokens => Action::ManageTokens,
        Need::ManageChannels => Action::ManageChannels,
        Need::ReadAudit => Action::ReadAudit(Some(&namespace)),
        Need::KnowItself => Action::KnowItself,
        Need::Link | Need::Open | Need::SignedIn(_) | Need::SignIn => return true,
    };
    principal.authorize(action).is_ok()
}

/// Each thing that can be called, and what it takes.
fn rows() -> Vec<(String, Need)> {
    let mut rows = Vec::new();
    for service in ["hitl.v1.EventService", "hitl.v1.AdminService"] {
        let service = descriptors().get_service_by_name(service).unwrap();
        for method in service.methods() {
            let name = method.name();
            let routes = route_docs().into_iter().filter(|(_, _, doc)| match doc {
                Doc::Rpc { name: rpc, .. } | Doc::Stream { name: rpc } => *rpc == name,
                Doc::Hidden | Doc::Own { .. } => false,
            });
            let mut called = format!("`{name}`");
            for (method, path, _) in routes {
                write!(called, ", `{} {path}`", method.to_uppercase()).unwrap();
            }
            rows.push((called, need_of_rpc(name)));
        }
    }
    for (method, path, doc) in route_docs() {
        if matches!(doc, Doc::Hidden | Doc::Own { .. }) {
            let called = format!("`{} {path}`", method.to_uppercase());
            rows.push((called, need_of_route(method, path)));
        }
    }
    rows.push(("`form_url` and `api_url` in any message".to_owned(), Need::HandOutLinks));
    rows
}

fn tables() -> String {
    let columns = columns();
    let mut text = String::from(BEGIN);
    text.push_str("\n| what | nobody |");
    for (heading, _) in &columns {
        write!(text, " {heading} |").unwrap();
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(columns.len()));
    let rows = rows();
    let by_link = |need: &Need| matches!(need, Need::Link | Need::Open);
    let by_page = |need: &Need| matches!(need, Need::SignedIn(_) | Need::SignIn);
    for (called, need) in rows.iter().filter(|(_, need)| !by_link(need) && !by_page(need)) {
        write!(text, "\n| {called} | no |").unwrap();
        for (_, principal) in &columns {
            text.push_str(if may(principal, *need) { " yes |" } else { " no |" });
        }
    }
    let holders = ["anybody", "whoever has a link to the event", "whoever has a link to another"];
    write!(text, "\n\n| what | {} |\n|---|---|---|---|", holders.join(" | ")).unwrap();
    for (called, need) in rows.iter().filter(|(_, need)| by_link(need)) {
        let cells = if *need == Need::Open { "yes | yes | yes" } else { "no | yes | no" };
        write!(text, "\n| {called} | {cells} |").unwrap();
    }
    text.push_str("\n\n| what | not signed in | signed in |\n|---|---|---|");
    for (called, need) in rows.iter().filter(|(_, need)| by_page(need)) {
        let cells = match need {
            Need::SignedIn(signed_in) => format!("no | {signed_in}"),
            _ => "yes | yes".to_owned(),
        };
        write!(text, "\n| {called} | {cells} |").unwrap();
    }
    text.push_str("\n\n");
    text.push_str(END);
    text
}

#[test]
fn the_tables_say_what_the_rule_decides_for_everything_that_can_be_called() {
    let path = Path::new(DOC);
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let fresh = format!("{before}{}{after}", tables());
    if std::env::var_os("HITL_WRITE_DOCS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let document = std::fs::read_to_string(path).unwrap();
    assert!(document == fresh, "docs/access.md is stale: run this test with HITL_WRITE_DOCS=1");
}
