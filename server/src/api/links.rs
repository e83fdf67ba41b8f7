//! Links for one person each, and the end of links.

use hitl_proto::v1;

use super::{Api, Caller, from_proto, to_proto};
use crate::auth::link::Urls;
use hitl_service::error::Error;

impl Api {
    /// `EventService.CreateLink`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn create_link(
        &self,
        request: v1::CreateLinkRequest,
        caller: &Caller,
    ) -> Result<v1::CreateLinkResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let ttl_ms = from_proto::duration_ms("ttl", request.ttl)?;
        let _call = self.call(caller, &key)?;
        let link = self.session(caller).create_link(&key, request.responder, ttl_ms).await?;
        let Urls { form, api } = self.links.urls_of(&link);
        let expire_time = Some(to_proto::timestamp(link.expire_time));
        Ok(v1::CreateLinkResponse { form_url: form, api_url: api, expire_time })
    }

    /// `EventService.RevokeLinks`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn revoke_links(
        &self,
        request: v1::RevokeLinksRequest,
        caller: &Caller,
    ) -> Result<v1::RevokeLinksResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let responder = Some(&*request.responder).filter(|name| !name.is_empty());
        let _call = self.call(caller, &key)?;
        self.session(caller).revoke_links(&key, responder).await?;
        Ok(v1::RevokeLinksResponse {})
    }
}
