//! What people and operators see when something is wrong on our side.

use std::io;
use std::sync::Mutex;

use super::*;

const EVIL: &str = "\"><script>alert(1)</script>";

#[tokio::test]
async fn what_was_typed_comes_back_ready_to_be_sent_again() {
    let world = World::new().await;
    let event = world.ask(json!({"str": {}}), json!({})).await;
    let form = path(&event["formUrl"]);
    let world = world.limited(0);
    let page = world.post_form(&form, &[("value", EVIL), ("answer_id", "a")]).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.header("retry-after"), "2");
    let escaped = "&#34;&#62;&#60;script&#62;";
    let again = format!("<input type=\"hidden\" name=\"value\" value=\"{escaped}");
    for part in [again.as_str(), "nothing was recorded", "Send it again"] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    assert_eq!(page.answer_id(), "a");
    assert!(!page.text.contains("<script>alert"));

    let look = world.get(&form).await;
    assert_eq!(look.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(look.text.contains("Nothing was changed"));

    let sent = world.limited(1).post_form(&form, &[("value", "x"), ("answer_id", "a")]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_error_of_a_program_says_when_to_try_again() {
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let reply =
        world.limited(0).get(&format!("/v1/events/{}", event["id"].as_str().unwrap())).await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "2"));
    assert_eq!(reply.json()["error"]["details"][1]["retryDelay"], "2.000s");
}

#[tokio::test]
async fn no_token_is_ever_logged() {
    let lines = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer({
            let lines = lines.clone();
            move || lines.clone()
        })
        .finish();
    // While there is only one subscriber, tracing asks whichever thread comes first whether anybody
    // listens, and other tests' threads would say no.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let event = world.ask(json!({"int": {}}), json!({})).await;
    let (form, link) = (path(&event["formUrl"]), path(&event["apiUrl"]));
    world.get(&form).await;
    world.get(&format!("{form}x")).await;
    world.post_form(&form, &[("value", "x")]).await;
    world.post(&link, &json!({"value": 1})).await;
    world.limited(0).get(&form).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("/q/{link}"), "{text}");
    let token = form.rsplit('/').next().unwrap();
    assert!(!text.contains(token), "{text}");
}

/// Gathers what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
