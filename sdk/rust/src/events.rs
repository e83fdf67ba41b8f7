//! Lists that page by themselves.

use std::collections::VecDeque;

use hitl_proto::v1;

use crate::client::Client;
use crate::error::{Error, Result};

/// The events that match, one after the other. A page is fetched when the iteration comes to it, and one
/// is held.
#[derive(Debug)]
pub struct Events {
    client: Client,
    /// For the next page, if there is one.
    request: Option<v1::ListEventsRequest>,
    page: VecDeque<v1::Event>,
    left: usize,
}

impl Client {
    /// All events that match, in the order of [`Client::list`], over as many pages as it takes, but at most
    /// `limit` if that is not 0. An empty namespace is the client's.
    pub fn events(&self, request: v1::ListEventsRequest, limit: usize) -> Events {
        let left = if limit == 0 { usize::MAX } else { limit };
        Events { client: self.clone(), request: Some(request), page: VecDeque::new(), left }
    }
}

impl Events {
    /// The next event, or none if there are no more.
    ///
    /// # Errors
    /// Those of [`Client::list`].
    pub async fn next(&mut self) -> Result<Option<v1::Event>> {
        if self.left == 0 {
            return Ok(None);
        }
        while self.page.is_empty()
            && let Some(request) = &mut self.request
        {
            let page = self.client.list(request.clone()).await?;
            self.page.extend(page.events);
            if page.next_page_token.is_empty() {
                self.request = None;
            } else if page.next_page_token == request.page_token {
                let message = "the server sent the token of the same page again";
                return Err(Error::internal(message.to_owned()));
            } else {
                request.page_token = page.next_page_token;
            }
        }
        let event = self.page.pop_front();
        self.left -= usize::from(event.is_some());
        Ok(event)
    }
}
