//! Links for one person each.

use std::fmt;
use std::time::{Duration, SystemTime};

use hitl_proto::v1;

use crate::client::Client;
use crate::error::Result;

/// A link that was made for one person: whoever answers by it is recorded as that person.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The page where the person answers. A secret: whoever has it answers as that person.
    pub url: String,
    /// Where a program answers as that person, with plain JSON. A secret like [`Link::url`].
    pub api_url: String,
    /// Until when the link is good, by the server's clock.
    pub expires: SystemTime,
}

/// A link is a secret, and this text ends in logs.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a link by which the person called `responder` answers an event. It is good for `ttl`, or else for as long
    /// as the event waits, and never longer. Each call makes another.
    ///
    /// ```no_run
    /// # async fn example(client: hitl::Client, id: &str) -> hitl::Result<()> {
    /// let link = client.create_link(id, "Ada Lovelace", None).await?;
    /// // mail(ada, link.url)
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] names the fields to correct, [`crate::ErrorKind::Conflict`] if the event has
    /// ended, [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn create_link(
        &self,
        event_id: &str,
        responder: &str,
        ttl: Option<Duration>,
    ) -> Result<Link> {
        let longest = prost_types::Duration { seconds: i64::MAX, nanos: 0 };
        let request = v1::CreateLinkRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            responder: responder.to_owned(),
            ttl: ttl.map(|ttl| ttl.try_into().unwrap_or(longest)),
        };
        let made = self
            .call(request, |mut stub, request| async move { stub.create_link(request).await })
            .await?;
        let expires = made.expire_time.unwrap_or_default();
        Ok(Link {
            url: made.form_url,
            api_url: made.api_url,
            expires: expires.try_into().unwrap_or(SystemTime::UNIX_EPOCH),
        })
    }

    /// Ends the links of an event that were made for `responder`; or all, with the one that the event has of itself.
    /// Links that are made afterwards are good.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] names the field to correct, [`crate::ErrorKind::NotFound`], and those of reaching
    /// the server.
    pub async fn revoke_links(&self, event_id: &str, responder: Option<&str>) -> Result<()> {
        let request = v1::RevokeLinksRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            responder: responder.unwrap_or_default().to_owned(),
        };
        self.call(request, |mut stub, request| async move { stub.revoke_links(request).await })
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_not_printed() {
        let link = Link {
            url: "http://127.0.0.1:4485/q/TOKEN".to_owned(),
            api_url: "http://127.0.0.1:4485/v1/links/TOKEN".to_owned(),
            expires: SystemTime::UNIX_EPOCH,
        };
        for printed in [format!("{link:?}"), format!("{link:#?}")] {
            assert!(printed.contains("expires") && !printed.contains("TOKEN"), "{printed}");
            assert!(!printed.contains("4485"), "{printed}");
        }
    }
}
