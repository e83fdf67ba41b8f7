//! Links: no text but a link itself opens an event, whatever is changed about it.

use hitl_proto::v1;
use hitl_server::auth::LinkText;

use super::{halves, questions};
use crate::world::{World, path, request, wait};

/// What version 0.1 has made with the key of this world for the event of [`IDEMPOTENCY_KEY`].
const OLD: &str =
    "e2d8bcc4103782d1899087ff2b448c4b/APSGVwAAgTFZ8U9ejrm-IGDK-VwvRN3OXHX23URdzOwSHSW4Jsk";
/// From it the event's id follows.
const IDEMPOTENCY_KEY: &str = "of before";

/// The first half stands in the place of a link, or is laid over a real one bit by bit if it begins with `^` (the
/// event's own), `~` (one that was made for somebody) or `|` (an old one).
pub(super) fn run(input: &[u8]) {
    let world = World::new();
    let event = world.create(v1::CreateEventRequest {
        idempotency_key: IDEMPOTENCY_KEY.to_owned(),
        ..request(questions::question(0))
    });
    let real = [last(&event.api_url), last(&world.link(&event).api_url), OLD.to_owned()];
    let made = match input.split_first() {
        Some((b'^', mask)) => laid_over(&real[0], mask),
        Some((b'~', mask)) => laid_over(&real[1], mask),
        Some((b'|', mask)) => laid_over(&real[2], mask),
        _ => input.to_vec(),
    };
    let Ok(made) = std::str::from_utf8(&made) else { return };
    let is_real = real.iter().any(|link| link == made);
    let text = match made.split_once('/') {
        Some((id, token)) => LinkText::Old { id, token },
        None => LinkText::Short(made),
    };
    let holder = wait(async {
        let link = world.links.read(&world.service, text).await?;
        world.service.link_holder(link).await
    });
    assert_eq!(holder.is_ok(), is_real, "{made}");
    if let Ok(holder) = holder {
        assert_eq!(holder.key.id.to_string(), event.id);
    }
    let pages = if made.contains('/') { "/form/" } else { "/q/" };
    for route in ["/v1/links/", "/q/", "/form/"] {
        let Some(reply) = world.get(&format!("{route}{made}")) else { continue };
        let opens = is_real && (route == pages || route == "/v1/links/");
        // A query, a fragment and encoded characters are other ways to write the same.
        if !made.contains(['?', '#', '%']) {
            assert_eq!(reply.status.is_success(), opens, "{route}{made}");
        }
    }
    let (first, second) = halves(input);
    let (Ok(first), Ok(second)) = (std::str::from_utf8(first), std::str::from_utf8(second)) else {
        return;
    };
    assert!(world.links.unseal(first, second).is_none());
}

fn last(url: &str) -> String {
    path(url).strip_prefix("/v1/links/").expect("a link").to_owned()
}

fn laid_over(real: &str, mask: &[u8]) -> Vec<u8> {
    let mask = mask.iter().copied().chain(std::iter::repeat(0));
    real.bytes().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}
