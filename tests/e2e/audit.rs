//! The audit from outside: what is written in it, who reads it, and that no flood fills it.

use std::collections::BTreeMap;

use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::{self, AuditEntry, AuditKind, CredentialKind, Role};
use serde_json::Value as Json;
use support::server::{ADMIN, Server, channel};
use support::tools;
use tonic::transport::Channel;

use crate::access::world::with;
use crate::kinds;
use crate::shell::{Done, Shell};
use crate::site::{Site, config, request, soon, start};

/// A server that keeps its events in plain files, and an admin of it.
struct World {
    server: Server,
    site: Site,
    dir: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = format!("file://{}", dir.path().join("store").display());
        let (server, site) = start(config().with_admin(dir.path()).store(store)).await;
        Self { server, site, dir }
    }

    fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(channel(&self.server.endpoint()))
    }

    /// The text of a new token.
    async fn token(&self, name: &str, role: Role, namespace: &str) -> String {
        let create = v1::CreateTokenRequest {
            name: name.to_owned(),
            roles: vec![role.into()],
            namespaces: vec![namespace.to_owned()],
            ttl: None,
        };
        let made = self.admin().create_token(with(Some(ADMIN), create)).await;
        made.expect("the admin may").into_inner().secret
    }

    /// All entries of this kind.
    async fn entries(&self, kind: AuditKind) -> Vec<AuditEntry> {
        let filter = v1::AuditFilter { kinds: vec![kind.into()], ..Default::default() };
        let request =
            v1::ListAuditRequest { filter: Some(filter), page_size: 1000, ..Default::default() };
        let listed = self.admin().list_audit(with(Some(ADMIN), request)).await;
        listed.expect("the admin may").into_inner().entries
    }

    /// What comes of `hitl audit ARGS` with this token.
    async fn audit(&self, token: &str, args: &[&str]) -> Done {
        let shell = Shell::at(&self.server.endpoint());
        let mut command = shell.command(&tools::hitl());
        command.env("HITL_TOKEN", token).arg("audit").args(args);
        let output = soon("a command", command.output()).await.expect("it runs");
        Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

fn lines(done: &Done) -> Vec<Json> {
    assert_eq!(done.code, Some(0), "{done:?}");
    done.out.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[tokio::test]
async fn tokens_and_refusals_are_told_to_who_follows_and_found_by_who_looks() {
    let world = World::new().await;
    let follow = v1::FollowAuditRequest::default();
    let follow = world.admin().follow_audit(with(Some(ADMIN), follow)).await;
    let mut follow = follow.expect("the admin may").into_inner();
    let begun = soon("a sign of life", follow.message()).await.expect("it goes on");
    assert!(begun.expect("it goes on").entries.is_empty());

    let ci = world.token("ci", Role::Notifier, "default").await;
    let mut events = world.site.grpc.clone();
    let refused = events.create_event(with(Some(&ci), request(kinds::int()))).await;
    assert_eq!(refused.expect_err("it may not").code(), tonic::Code::PermissionDenied);
    let refused = events.create_event(with(None, request(kinds::int()))).await;
    assert_eq!(refused.expect_err("it has none").code(), tonic::Code::Unauthenticated);
    for path in ["/form/x/y", "/v1/events"] {
        world.site.http.get(world.server.url(path)).send().await.expect("a reply");
    }

    let mut told: BTreeMap<String, AuditEntry> = BTreeMap::new();
    let of = |entry: &AuditEntry| match entry.kind() {
        AuditKind::Refusal => entry.action.clone(),
        kind => kind.as_str_name().to_owned(),
    };
    let expected = [
        "AUDIT_KIND_TOKEN_CREATED",
        "create",
        "CreateEvent",
        "GET /form/{event_id}/{token}",
        "GET /v1/events",
    ];
    let all = async {
        while !expected.iter().all(|name| told.contains_key(*name)) {
            let message = follow.message().await.expect("it goes on").expect("it goes on");
            told.extend(message.entries.into_iter().map(|entry| (of(&entry), entry)));
        }
    };
    if tokio::time::timeout(crate::site::SOON, all).await.is_err() {
        panic!("only this was told: {told:#?}");
    }
    let created = &told["AUDIT_KIND_TOKEN_CREATED"];
    assert_eq!((created.known_by(), &*created.principal), (CredentialKind::Token, "admin"));
    assert_eq!((&*created.detail, &*created.address), ("notifier in default: ci", "127.0.0.1"));
    let by_role = &told["create"];
    assert_eq!((&*by_role.principal, &*by_role.namespace), ("ci", "default"));
    let by_nobody = &told["GET /v1/events"];
    assert_eq!((by_nobody.known_by(), &*by_nobody.principal_id), (CredentialKind::None, ""));

    let listed = lines(&world.audit(ADMIN, &["--json", "--all"]).await);
    let kind = |kind: &str| listed.iter().filter(|entry| entry["kind"] == kind).count();
    assert_eq!((kind("AUDIT_KIND_SETTINGS"), kind("AUDIT_KIND_RECEIPT_KEY_ADDED")), (1, 1));
    assert_eq!((kind("AUDIT_KIND_TOKEN_CREATED"), kind("AUDIT_KIND_REFUSAL")), (1, 4));
    let of_ci = lines(&world.audit(ADMIN, &["--json", "--principal", "ci"]).await);
    assert_eq!(of_ci.len(), 1, "{of_ci:?}");
    assert_eq!(of_ci[0]["action"], "create");
    let table = world.audit(ADMIN, &["--kind", "refusal", "--since", "1h", "--limit", "2"]).await;
    assert_eq!(table.out.lines().count(), 3, "{table:?}");
    let id = hitl_core::TokenText::parse(&ci).expect("it is one").id.to_string();
    assert!(listed.iter().any(|entry| entry["subject"] == *id), "{listed:?}");
    assert!(!format!("{listed:?}").contains(&ci[ci.len() - 20..]), "the token is in it");
}

#[tokio::test]
async fn an_auditor_of_a_namespace_reads_its_part_alone() {
    let world = World::new().await;
    let auditor = world.token("auditor", Role::Auditor, "team").await;
    let responder = world.token("responder", Role::Responder, "team").await;
    let mut events = world.site.grpc.clone();
    let create = |namespace: &str| v1::CreateEventRequest {
        namespace: namespace.to_owned(),
        ..request(kinds::int())
    };
    for namespace in ["team", "other"] {
        let refused = events.create_event(with(Some(&responder), create(namespace))).await;
        assert_eq!(refused.expect_err("it may not").code(), tonic::Code::PermissionDenied);
    }
    let both = async {
        while world.entries(AuditKind::Refusal).await.len() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    soon("both refusals", both).await;
    let seen = lines(&world.audit(&auditor, &["--json", "--namespace", "team"]).await);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(
        (&seen[0]["namespace"], &seen[0]["principal"]),
        (&"team".into(), &"responder".into())
    );
    for (token, args) in [
        (&auditor, &[][..]),
        (&auditor, &["--namespace", "other"]),
        (&auditor, &["--follow"]),
        (&responder, &["--namespace", "team"]),
    ] {
        let refused = world.audit(token, args).await;
        assert_eq!((refused.code, &*refused.out), (Some(1), ""), "{args:?}: {refused:?}");
        assert!(refused.err.contains("do not let it"), "{args:?}: {refused:?}");
    }
}

#[tokio::test]
async fn a_flood_of_refusals_is_a_few_entries_and_each_is_counted() {
    const FLOOD: usize = 3_000;
    let mut world = World::new().await;
    let url = world.server.url("/v1/events");
    let refused = (0..FLOOD).map(|_| world.site.http.get(&url).send());
    for reply in futures::future::join_all(refused).await {
        assert_eq!(reply.expect("a reply").status().as_u16(), 401);
    }
    // What is still gathered is written at the end.
    world.server.terminate().await.expect("it ends");
    world.server.restart().await.expect("it starts");
    let entries = world.entries(AuditKind::Refusal).await;
    let counted: i64 = entries.iter().map(|entry| entry.count).sum();
    assert_eq!(counted, i64::try_from(FLOOD).expect("a small number"));
    assert!(entries.len() <= 4, "{} entries", entries.len());
    let written = std::fs::read_dir(world.dir.path().join("store/audit")).expect("it is there");
    assert!((1..=2).contains(&written.count()), "one directory an hour");
}

#[tokio::test]
async fn the_page_of_the_audit_shows_it_to_those_alone_who_may_read_it() {
    let (server, site) = start(config()).await;
    let page = async |path: &str| {
        let reply = site.http.get(server.url(path)).header("accept", "text/html").send().await;
        let reply = reply.expect("a reply");
        (reply.status().as_u16(), reply.text().await.expect("text"))
    };
    let foreign = site.http.get(server.url("/form/x/y")).send().await.expect("a reply");
    assert_eq!(foreign.status().as_u16(), 404);
    let shown = async {
        loop {
            let (status, text) = page("/audit").await;
            assert_eq!(status, 200, "{text}");
            if text.contains("the link is not valid") {
                return text;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let all = soon("the refusal on the page", shown).await;
    assert!(all.contains("asks nobody for a credential"), "{all}");
    assert!(all.contains("GET /form/{event_id}/{token}"), "{all}");
    let (_, refusals) = page("/audit?kind=refusal").await;
    assert!(!refusals.contains("asks nobody for a credential"), "{refusals}");
    assert!(refusals.contains("the link is not valid"), "{refusals}");
    let (_, none) = page("/audit?who=nobody-of-that-name").await;
    assert!(none.contains("There is nothing here"), "{none}");
    let (_, wrong) = page("/audit?namespace=No").await;
    assert!(wrong.contains("No is no namespace"), "{wrong}");

    let world = World::new().await;
    let closed = world.site.http.get(world.server.url("/audit")).bearer_auth(ADMIN).send().await;
    let closed = closed.expect("a reply");
    assert_eq!(closed.status().as_u16(), 401, "a page is for who has signed in with a browser");
}
