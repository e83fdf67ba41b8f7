//! The key of links: how it is changed, and links that earlier versions have signed.

use std::path::Path;

use hitl_proto::v1::CreateEventRequest;
use hitl_proto::v1::value::Kind as Value;
use serde_json::json;
use support::stores::Kind;

use crate::kinds;
use crate::shell::Shell;
use crate::site::{Site, config, is_pending, request, start, typed, value_of};
use crate::web::{ok_json, page, post_json};

/// A link that version 0.1 has made with the key of [`write_link_key`].
pub(crate) struct OldLink {
    idempotency_key: &'static str,
    /// The event's id, which follows from the idempotency key.
    pub(crate) id: &'static str,
    pub(crate) token: &'static str,
}

pub(crate) const OLD_LINKS: [OldLink; 2] = [
    OldLink {
        idempotency_key: "of before",
        id: "e2d8bcc4103782d1899087ff2b448c4b",
        token: "APSGVwAAgTFZ8U9ejrm-IGDK-VwvRN3OXHX23URdzOwSHSW4Jsk",
    },
    OldLink {
        idempotency_key: "of before, another",
        id: "c093d48d45cb8c2f92fd2ce966efb782",
        token: "APSGVwAAgft1RCf5ormb-ULBXoaVUF-6C7EGz_o_brDLlZtBQTM",
    },
];

impl OldLink {
    /// What asks for its event.
    pub(crate) fn request(&self) -> CreateEventRequest {
        let idempotency_key = self.idempotency_key.to_owned();
        CreateEventRequest { idempotency_key, ..request(kinds::int()) }
    }
}

/// Writes the key that the old links are signed with.
pub(crate) fn write_link_key(file: &Path) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(file).expect("a file");
    file.write_all("07".repeat(32).as_bytes()).expect("it can be written");
}

async fn status(site: &Site, url: &str) -> u16 {
    site.fetch(url).await.status().as_u16()
}

#[tokio::test]
async fn a_link_that_an_earlier_version_has_made_opens_its_event_until_that_has_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let key = dir.path().join("link.key");
    write_link_key(&key);
    let config = config().arg("--link-key-file").arg(key.display().to_string());
    let (_server, site) = start(config).await;
    let [old, other] = &OLD_LINKS;
    let event = site.create(old.request()).await;
    assert_eq!(event.id, old.id);
    let form = format!("{}/form/{}/{}", site.url, old.id, old.token);
    assert!(page(site.fetch(&form).await).await.contains("What is it?"));
    assert_eq!(status(&site, &format!("{}/form/{}/{}", site.url, old.id, other.token)).await, 404);
    let api = format!("{}/v1/links/{}/{}", site.url, old.id, old.token);
    ok_json(post_json(&site.http, &api, &json!({"value": 7})).await).await;
    assert_eq!(value_of(&site.get(&event).await), Some(&Value::Int(7)));
    let late = post_json(&site.http, &api, &json!({"value": 8})).await;
    assert_eq!(late.status().as_u16(), 409);
    assert!(page(site.fetch(&form).await).await.contains("Answered"));
    // It is as dead as any other once the links of its event were revoked.
    site.revoke_links(&event, "").await;
    assert_eq!(status(&site, &form).await, 404);
}

#[tokio::test]
async fn links_of_the_key_before_are_good_until_it_is_forgotten() {
    let (mut server, site) = start(config().kind(Kind::Embedded)).await;
    let shell = Shell::with("HITL_RUN_ID", "");
    let store = server.dir().join("store").display().to_string();
    let step = async |step: &'static str| {
        let done = shell.run(&["link-key", step, "--store", &store]).await;
        assert_eq!((done.code, done.out.as_str()), (Some(0), ""), "{done:?}");
    };
    let before = site.ask(kinds::int()).await;
    let of_ann = site.link(&before, "Ann", None).await;

    server.terminate().await.expect("it ends");
    step("rotate").await;
    server.restart().await.expect("it starts again");
    let site = Site::at(&server.endpoint());
    assert_ne!(site.get(&before).await.form_url, before.form_url, "it is signed anew");
    for link in [&before.form_url, &of_ann.form_url, &site.get(&before).await.form_url] {
        assert_eq!(status(&site, link).await, 200);
    }
    let after = site.ask(kinds::int()).await;
    let early = shell.run(&["link-key", "rotate", "--store", &store]).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.err.contains("hitl link-key forget"), "{early:?}");

    server.terminate().await.expect("it ends");
    step("forget").await;
    server.restart().await.expect("it starts again");
    let site = Site::at(&server.endpoint());
    for link in [&before.form_url, &of_ann.form_url] {
        assert_eq!(status(&site, link).await, 404);
    }
    for link in [&site.get(&before).await.form_url, &after.form_url] {
        assert_eq!(status(&site, link).await, 200);
    }
}

#[tokio::test]
async fn servers_change_the_key_one_after_the_other_and_no_link_fails_meanwhile() {
    let shell = Shell::with("HITL_RUN_ID", "");
    let file = |name: &str| shell.dir().join(name).display().to_string();
    let store = format!("file://{}", file("shared"));
    let (old, new) = (file("old.key"), file("new.key"));
    write_link_key(old.as_ref());
    let step = async |step: &'static str, file: &str| {
        let done = shell.run(&["link-key", step, "--link-key-file", file]).await;
        assert_eq!(done.code, Some(0), "{done:?}");
    };
    step("stage", &old).await;
    std::fs::copy(&old, &new).expect("it can be copied");
    step("rotate", &new).await;
    // One has not been started again yet with what the other has.
    let replica = |key: &str| config().store(&store).arg("--link-key-file").arg(key);
    let ((one, here), (other, there)) = (start(replica(&old)).await, start(replica(&new)).await);
    for (asked, elsewhere, site) in [(&here, &there, &other), (&there, &here, &one)] {
        let event = asked.ask(kinds::int()).await;
        let made = asked.link(&event, "Ann", None).await;
        for url in [&event.form_url, &made.form_url] {
            let (_, link) = url.rsplit_once('/').expect("a link ends with its token");
            assert_eq!(status(elsewhere, &site.url(&format!("/q/{link}"))).await, 200);
        }
    }
    // A server that knows only the key before is not let in any more.
    let first = file("first.key");
    write_link_key(first.as_ref());
    let refused = support::server::Server::start(replica(&first)).await.expect_err("another key");
    assert!(format!("{refused:#}").contains("link-key rotate"), "{refused:#}");
}

#[tokio::test]
async fn a_link_finds_its_namespace_at_a_server_that_has_never_heard_of_it() {
    let (mut server, site) = start(config().kind(Kind::Embedded)).await;
    let namespaced = CreateEventRequest { namespace: "elsewhere".into(), ..request(kinds::int()) };
    let event = site.create(namespaced).await;
    server.kill().await.expect("it dies");
    server.restart().await.expect("it starts again");
    let site = Site::at(&server.endpoint());
    assert_eq!(status(&site, &event.form_url).await, 200);
    assert!(is_pending(&site.get(&event).await));
    site.answer(&event, typed(&Value::Int(1))).await.expect("the answer is good");
    assert_eq!(status(&site, &event.form_url).await, 200);
}
