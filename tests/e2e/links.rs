//! Links: what a bad one gets tells nothing, and looking at a good one changes nothing.

mod keys;
mod made;

use std::collections::BTreeMap;

use futures::future::join_all;
use hitl_proto::v1::value::Kind as Value;
use hitl_proto::v1::{CreateEventRequest, Event};
use reqwest::{Method, Response};
use serde_json::json;

use crate::failure::Failure;
use crate::kinds;
use crate::site::{Site, is_pending, request};
use crate::web::{answered, page};

pub(crate) use keys::{OLD_LINKS, write_link_key};

/// User agents that fetch every link they meet: previewers, mail scanners and crawlers.
const SCANNERS: [&str; 12] = [
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.23.20.0",
    "Twitterbot/1.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1) SafeLinks",
    "curl/7.88.1",
];

/// All of a reply but what changes by the second.
async fn bytes(reply: Response) -> (u16, BTreeMap<String, String>, Vec<u8>) {
    let status = reply.status().as_u16();
    let headers = reply.headers().iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
    (status, headers, reply.bytes().await.expect("a body").to_vec())
}

fn token(event: &Event) -> &str {
    event.form_url.rsplit('/').next().expect("a link ends with its token")
}

/// What is no link in the place of that of `event`, whatever is wrong with it.
async fn bad_links(site: &Site, event: &Event) -> Vec<String> {
    let other = site.ask(kinds::int()).await;
    let namespaced = CreateEventRequest { namespace: "elsewhere".into(), ..request(kinds::int()) };
    let elsewhere = site.create(namespaced).await;
    let made = site.link(event, "Ann", None).await;
    let made = made.form_url.rsplit('/').next().expect("a link ends with its token");
    let revoked = site.link(event, "Bob", None).await;
    site.revoke_links(event, "Bob").await;
    let link = token(event);
    let changed = |index: usize| {
        let mut letters = link.as_bytes().to_vec();
        letters[index] = if letters[index] == b'A' { b'B' } else { b'A' };
        String::from_utf8(letters).expect("ASCII")
    };
    // The first half names the event, the second proves it.
    let joined = |first: &str, second: &str| format!("{}{}", &first[..22], &second[22..]);
    let mut links = vec![
        revoked.form_url.rsplit('/').next().expect("a link ends with its token").to_owned(),
        joined(link, token(&other)),
        joined(link, token(&elsewhere)),
        joined(token(&elsewhere), link),
        joined(link, made),
        joined(made, link),
        link[1..].to_owned(),
        link[..link.len() - 1].to_owned(),
        format!("{link}A"),
        format!("{link}="),
        format!("%2e%2e%2f{link}"),
        event.id.clone(),
        "A".to_owned(),
        "%00".to_owned(),
        "%ff".to_owned(),
        "..%2f..%2fetc%2fpasswd".to_owned(),
        "A".repeat(43),
        "A".repeat(3_000),
        format!("{}/{link}", event.id),
        format!("{}/{}", event.id, OLD_LINKS[0].token),
        format!("{}/A", event.id),
        format!("nonsense/{}", OLD_LINKS[0].token),
    ];
    links.extend([0, 3, 20, 21, 22, 30, 39, 40, 41].map(changed));
    links
}

#[tokio::test]
async fn every_bad_link_gets_the_same_bytes_whatever_is_wrong_with_it() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    for base in ["q", "form", "v1/links"] {
        let is_json = base == "v1/links";
        for method in [Method::GET, Method::HEAD, Method::POST] {
            // At once, since where servers share a store it may take a second to see that a link leads nowhere.
            let replies = bad_links(&site, &event).await.into_iter().map(|link| {
                let url = format!("{}/{base}/{link}", site.url);
                let mut call = site.http.request(method.clone(), &url);
                if method == Method::POST && is_json {
                    call = call.json(&json!({"value": 1}));
                } else if method == Method::POST {
                    call = call.form(&answered(kinds::form(&Value::Int(1)), "x"));
                }
                async { (bytes(call.send().await.expect("the server replies")).await, url) }
            });
            let replies = join_all(replies).await;
            for (reply, url) in &replies {
                assert_eq!(reply.0, if is_json { 403 } else { 404 }, "{method} {url}");
                assert_eq!(*reply, replies[0].0, "{method} {url}");
            }
        }
    }
    assert!(is_pending(&site.get(&event).await));
}

#[tokio::test]
async fn a_bad_link_is_refused_in_words_for_programs_and_for_people() {
    let site = Site::shared().await;
    let event = site.ask(kinds::int()).await;
    let refused = site.fetch(&format!("{}/v1/links/AAAA", site.url)).await;
    let refused = Failure::of_reply(refused).await;
    assert!(refused.is(tonic::Code::PermissionDenied, "LINK_INVALID"), "{refused:?}");
    let page = site.fetch(&format!("{}/q/AAAA", site.url)).await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let page = page.text().await.expect("a page");
    assert!(page.contains("does not open a question") && !page.contains(&event.id), "{page}");
}

#[tokio::test]
async fn a_link_to_one_event_cannot_answer_another() {
    let site = Site::shared().await;
    let (mine, other) = (site.ask(kinds::int()).await, site.ask(kinds::int()).await);
    let body = json!({"value": 1, "event_id": other.id, "eventId": other.id});
    assert_eq!(site.post_link(&mine, &body).await.status().as_u16(), 400);
    let query = format!("{}?event_id={}", mine.api_url, other.id);
    site.http.post(query).json(&json!({"value": 1})).send().await.expect("the server replies");
    assert!(is_pending(&site.get(&other).await));
}

#[tokio::test]
async fn no_get_or_head_of_any_scanner_changes_anything() {
    let site = Site::shared().await;
    for input in [kinds::yes_or_no(), kinds::colours(1, 1), kinds::text()] {
        let event = site.ask(input).await;
        let queries = ["", "?value=true&action=answer", "?decline=x", "?action=decline&reason=x"];
        let paths = ["answer", "decline", "cancel"]
            .map(|verb| format!("{}/v1/events/{}/{verb}", site.url, event.id));
        for agent in SCANNERS {
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                let links = [&event.form_url, &event.api_url].into_iter();
                let links = links.flat_map(|url| queries.map(|query| format!("{url}{query}")));
                for url in links.chain(paths.clone()) {
                    let call = site.http.request(method.clone(), &url).header("user-agent", agent);
                    call.send().await.expect("the server replies");
                }
            }
        }
        assert_eq!(site.get(&event).await, event);
    }
}

#[tokio::test]
async fn the_page_of_a_link_is_private_and_runs_no_script_but_its_own() {
    let site = Site::shared().await;
    let event = site.ask(kinds::person()).await;
    let reply = site.fetch(&event.form_url).await;
    let header = |name: &str| reply.headers().get(name).map_or("", |v| v.to_str().expect("text"));
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert!(header("cache-control").contains("no-store"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    for rule in
        ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]
    {
        assert!(policy.contains(rule), "{rule} is missing: {policy}");
    }
    assert!(!policy.contains("unsafe") && policy.contains("script-src 'sha256-"), "{policy}");
    // The icon of the page is in the page, and says in which language it is written.
    let page = page(reply).await.replace("http://www.w3.org/2000/svg", "");
    let lower = page.to_lowercase();
    assert_eq!(lower.matches("<script").count(), 1, "{page}");
    for forbidden in ["javascript:", " onload=", " onclick=", " checked", " selected"] {
        assert!(!lower.contains(forbidden), "{forbidden} in {page}");
    }
    assert!(!page.replace(&site.url, "").contains("http"), "nothing comes from elsewhere: {page}");
}

#[tokio::test]
async fn what_an_author_writes_reaches_the_page_as_text_only() {
    let site = Site::shared().await;
    let attack = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}";
    for format in [1, 2] {
        let event = site.create(CreateEventRequest {
            name: attack.to_owned(),
            prompt: format!(
                "{attack}\n\n[x](javascript:alert(3)) ![y](https://evil.example/y.png)"
            ),
            prompt_format: format,
            ..request(kinds::text())
        });
        let page = page(site.fetch(&event.await.form_url).await).await;
        for forbidden in ["<script>alert", "<img", "href=\"javascript", "src=\"https://evil"] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
        assert!(page.contains("{{7*7}}"), "{page}");
    }
}

#[tokio::test]
async fn an_ended_event_shows_what_happened_when_and_by_whom() {
    let site = Site::shared().await;
    let event = site.ask(kinds::text()).await;
    let value = Value::Str("blue & <green>".to_owned());
    let shown = site.submit_and_follow(&event, &answered(kinds::form(&value), "once")).await;
    for part in ["blue &amp; &lt;green&gt;", "Ann", "UTC"] {
        assert!(
            shown.contains(part) || shown.contains("blue &#38; &#60;green&#62;"),
            "{part}: {shown}"
        );
    }
    assert!(!shown.contains("<form"), "there is nothing left to answer: {shown}");
}
