//! Links over a store in memory.

use std::sync::Arc;

use hitl_core::{Principal, Request, Timestamp};
use hitl_service::Background;
use hitl_store::clock::ManualClock;
use hitl_store::random::SystemRandom;
use hitl_store::{Options, StoreUrl, open};
use hitl_testing::spec;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::auth::LinkKey;
use crate::auth::link_key::{Step, change};

const NOW_MS: i64 = 1_795_348_837_250;

async fn service() -> Service {
    let clock = Arc::new(ManualClock::at(Timestamp::from_ms(NOW_MS).unwrap()));
    let options = Options { clock: clock.clone(), ..Options::default() };
    let store = open(&StoreUrl::Memory, options).await.unwrap();
    let shutdown = CancellationToken::new();
    Service::new(store, clock, Arc::new(SystemRandom), 100, shutdown, Background::new(None))
}

async fn ask(service: &Service, namespace: &str) -> Arc<Request> {
    let session = service.session(Principal::Owner);
    let created = session.create(namespace.parse().unwrap(), spec(3_600_000)).await.unwrap();
    created.event.request
}

fn links(key: u8) -> Links {
    Links::new(&LinkKeys::one(LinkKey::new([key; 32])), "http://h:1/")
}

fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

async fn opens(links: &Links, service: &Service, url: &str) -> Option<LinkHolder> {
    let holder = match links.read(service, LinkText::Short(last(url))).await {
        Ok(link) => service.link_holder(link).await,
        Err(error) => Err(error),
    };
    match holder {
        Ok(holder) => Some(holder),
        Err(Error::LinkInvalid) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn the_link_of_an_event_and_one_that_was_made_for_somebody_open_it_in_any_namespace() {
    let service = service().await;
    for namespace in ["default", "team-1", &"n".repeat(63)] {
        let request = ask(&service, namespace).await;
        let (own, session) = (links(7).urls(&request), service.session(Principal::Owner));
        assert_eq!(own.form.len(), "http://h:1/q/".len() + 43);
        assert_eq!(own.api, format!("http://h:1/v1/links/{}", last(&own.form)));
        let made = session.create_link(&request.key(), "Ann".to_owned(), None).await.unwrap();
        let made = links(7).urls_of(&made);
        for (urls, responder) in [(&own, ""), (&made, "Ann")] {
            let holder = opens(&links(7), &service, &urls.form).await.unwrap();
            assert_eq!((holder.key, holder.responder.as_str()), (request.key(), responder));
            assert_eq!(opens(&links(8), &service, &urls.form).await, None);
        }
    }
}

#[tokio::test]
async fn what_either_key_of_a_server_has_signed_is_good_and_the_first_signs() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("link.key");
    let load = || {
        let keys = LinkKeys::load_or_make(&file, &SystemRandom).unwrap();
        Links::new(&keys, "http://h:1")
    };
    let before = load();
    change(&file, Step::Stage, &SystemRandom).unwrap();
    let staged = load();
    change(&file, Step::Rotate, &SystemRandom).unwrap();
    let rotated = load();
    change(&file, Step::Forget, &SystemRandom).unwrap();
    let after = load();

    let service = service().await;
    let request = ask(&service, "team-1").await;
    let session = service.session(Principal::Owner);
    let made = session.create_link(&request.key(), "Ann".to_owned(), None).await.unwrap();
    let urls = |links: &Links| [links.urls(&request).form, links.urls_of(&made).form];
    assert_eq!(urls(&staged), urls(&before));
    assert_eq!(urls(&rotated), urls(&after));
    assert_ne!(urls(&rotated), urls(&before));
    let (old, new) = (urls(&before), urls(&after));
    for ([own, made], good, bad) in
        [(&old, [&before, &staged, &rotated], &after), (&new, [&staged, &rotated, &after], &before)]
    {
        for url in [own, made] {
            for links in good {
                assert!(opens(links, &service, url).await.is_some());
            }
            assert_eq!(opens(bad, &service, url).await, None);
        }
    }
    let sealed = before.seal("here", b"typed");
    assert_eq!(rotated.unseal("here", &sealed), Some(b"typed".to_vec()));
    assert_eq!(after.unseal("here", &sealed), None);
    assert!(rotated.is_form_token("ann", &before.form_token("ann")));
    assert!(!after.is_form_token("ann", &before.form_token("ann")));
}

#[tokio::test]
async fn neither_links_nor_keys_are_printed() {
    let service = service().await;
    let request = ask(&service, "default").await;
    let (links, urls) = (links(7), links(7).urls(&request));
    let link = last(&urls.form).to_owned();
    let texts = [
        format!("{links:?} {urls:?}"),
        format!("{:?}", LinkText::Short(&link)),
        format!("{:?}", LinkText::Old { id: "id", token: &link }),
        format!("{:?}", LinkKeys::one(LinkKey::new([7; 32]))),
    ];
    for text in texts {
        assert!(!text.contains(&link) && !text.contains("07") && !text.contains("7, 7"), "{text}");
    }
}
