//! Prints what is waiting for an answer.

use hitl::v1::{EventState, ListEventsRequest};

#[tokio::main]
async fn main() -> hitl::Result<()> {
    let client = hitl::Client::from_env()?;
    let mut request = ListEventsRequest { state: EventState::Pending.into(), ..Default::default() };
    loop {
        let page = client.list(request.clone()).await?;
        for event in page.events {
            println!("{}  {}  {:?}", event.id, event.name, event.prompt);
        }
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        request.page_token = page.next_page_token;
    }
}
