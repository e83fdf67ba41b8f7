//! The RPCs of the admin service: unwrap, call the API, wrap.

use hitl_proto::v1;
use hitl_proto::v1::admin_service_server::AdminService;
use tonic::Request;

use crate::api::Api;
use crate::grpc::audit::Entries;
use crate::grpc::events::{Answer, caller, wrap};
use crate::grpc::standing::WhileGood;

/// The admin service over the API.
#[derive(Debug)]
pub(crate) struct Admin {
    api: Api,
}

impl Admin {
    pub(super) fn new(api: Api) -> Self {
        Self { api }
    }
}

#[tonic::async_trait]
impl AdminService for Admin {
    type FollowAuditStream = WhileGood<Entries>;

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Answer<v1::CreateTokenResponse> {
        let caller = caller(&request)?;
        wrap(self.api.create_token(request.into_inner(), &caller).await)
    }

    async fn list_tokens(
        &self,
        request: Request<v1::ListTokensRequest>,
    ) -> Answer<v1::ListTokensResponse> {
        let caller = caller(&request)?;
        wrap(self.api.list_tokens(request.into_inner(), &caller).await)
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Answer<v1::RevokeTokenResponse> {
        let caller = caller(&request)?;
        wrap(self.api.revoke_token(request.into_inner(), &caller).await)
    }

    async fn rotate_token(
        &self,
        request: Request<v1::RotateTokenRequest>,
    ) -> Answer<v1::RotateTokenResponse> {
        let caller = caller(&request)?;
        wrap(self.api.rotate_token(request.into_inner(), &caller).await)
    }

    async fn list_audit(
        &self,
        request: Request<v1::ListAuditRequest>,
    ) -> Answer<v1::ListAuditResponse> {
        let caller = caller(&request)?;
        wrap(self.api.list_audit(request.into_inner(), &caller).await)
    }

    async fn follow_audit(
        &self,
        request: Request<v1::FollowAuditRequest>,
    ) -> Answer<WhileGood<Entries>> {
        let caller = caller(&request)?;
        let standing = self.api.standing(&caller);
        let follow = self.api.follow_audit(request.into_inner(), &caller);
        wrap(follow.map(|follow| WhileGood::new(Entries::new(follow), standing)))
    }

    async fn create_channel(
        &self,
        request: Request<v1::CreateChannelRequest>,
    ) -> Answer<v1::CreateChannelResponse> {
        let caller = caller(&request)?;
        wrap(self.api.create_channel(request.into_inner(), &caller).await)
    }

    async fn list_channels(
        &self,
        request: Request<v1::ListChannelsRequest>,
    ) -> Answer<v1::ListChannelsResponse> {
        let caller = caller(&request)?;
        wrap(self.api.list_channels(request.into_inner(), &caller).await)
    }

    async fn update_channel(
        &self,
        request: Request<v1::UpdateChannelRequest>,
    ) -> Answer<v1::UpdateChannelResponse> {
        let caller = caller(&request)?;
        wrap(self.api.update_channel(request.into_inner(), &caller).await)
    }

    async fn rotate_channel_secret(
        &self,
        request: Request<v1::RotateChannelSecretRequest>,
    ) -> Answer<v1::RotateChannelSecretResponse> {
        let caller = caller(&request)?;
        wrap(self.api.rotate_channel_secret(request.into_inner(), &caller).await)
    }

    async fn delete_channel(
        &self,
        request: Request<v1::DeleteChannelRequest>,
    ) -> Answer<v1::DeleteChannelResponse> {
        let caller = caller(&request)?;
        wrap(self.api.delete_channel(request.into_inner(), &caller).await)
    }

    async fn test_channel(
        &self,
        request: Request<v1::TestChannelRequest>,
    ) -> Answer<v1::TestChannelResponse> {
        let caller = caller(&request)?;
        wrap(self.api.test_channel(request.into_inner(), &caller).await)
    }

    async fn list_deliveries(
        &self,
        request: Request<v1::ListDeliveriesRequest>,
    ) -> Answer<v1::ListDeliveriesResponse> {
        let caller = caller(&request)?;
        wrap(self.api.list_deliveries(request.into_inner(), &caller).await)
    }

    async fn redeliver(
        &self,
        request: Request<v1::RedeliverRequest>,
    ) -> Answer<v1::RedeliverResponse> {
        let caller = caller(&request)?;
        wrap(self.api.redeliver(request.into_inner(), &caller).await)
    }

    async fn who_am_i(&self, request: Request<v1::WhoAmIRequest>) -> Answer<v1::WhoAmIResponse> {
        wrap(self.api.who_am_i(&caller(&request)?))
    }
}
