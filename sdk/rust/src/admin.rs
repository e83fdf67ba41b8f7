//! Tokens: who may call the server, for an admin of all namespaces; and the audit, for auditors and admins.
//!
//! These calls are made once each: a repeated create would make another token.

use std::future::Future;

use hitl_proto::v1;
use hitl_proto::v1::admin_service_client::AdminServiceClient;
use tonic::{Response, Status, Streaming};

use crate::client::Client;
use crate::credential::Authorized;
use crate::error::Result;
use crate::limits::{ATTEMPT_LIMIT, Silence};

/// The audit as it is written. It ends with its first error, and is not begun anew.
#[derive(Debug)]
pub struct AuditStream {
    stream: Streaming<v1::FollowAuditResponse>,
    client: Client,
    /// The server that sends it.
    place: usize,
}

impl AuditStream {
    /// New entries, or none as a sign of life; `None` once the server has ended the stream.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`] when the credential is not good any more, and those of reaching the
    /// server.
    pub async fn next(&mut self) -> Result<Option<v1::FollowAuditResponse>> {
        self.stream.message().await.map_err(|status| self.client.error(self.place, &status))
    }
}

impl Client {
    /// Makes a token. Its text is in this reply and nowhere else.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], and those of reaching the server.
    pub async fn create_token(
        &self,
        request: v1::CreateTokenRequest,
    ) -> Result<v1::CreateTokenResponse> {
        self.admin(|mut stub| async move { stub.create_token(request).await }).await
    }

    /// One page of the tokens.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], and those of reaching the server.
    pub async fn list_tokens(
        &self,
        request: v1::ListTokensRequest,
    ) -> Result<v1::ListTokensResponse> {
        self.admin(|mut stub| async move { stub.list_tokens(request).await }).await
    }

    /// Ends a token for good.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn revoke_token(
        &self,
        request: v1::RevokeTokenRequest,
    ) -> Result<v1::RevokeTokenResponse> {
        self.admin(|mut stub| async move { stub.revoke_token(request).await }).await
    }

    /// Makes a token in the stead of another. Its text is in this reply and nowhere else.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn rotate_token(
        &self,
        request: v1::RotateTokenRequest,
    ) -> Result<v1::RotateTokenResponse> {
        self.admin(|mut stub| async move { stub.rotate_token(request).await }).await
    }

    /// Makes a channel. Its secret is in this reply and nowhere else.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], [`crate::ErrorKind::Conflict`], and those of
    /// reaching the server.
    pub async fn create_channel(
        &self,
        request: v1::CreateChannelRequest,
    ) -> Result<v1::CreateChannelResponse> {
        self.admin(|mut stub| async move { stub.create_channel(request).await }).await
    }

    /// The channels.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], and those of reaching the server.
    pub async fn list_channels(
        &self,
        request: v1::ListChannelsRequest,
    ) -> Result<v1::ListChannelsResponse> {
        self.admin(|mut stub| async move { stub.list_channels(request).await }).await
    }

    /// Gives a channel other settings or rules.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], [`crate::ErrorKind::NotFound`], and those of
    /// reaching the server.
    pub async fn update_channel(
        &self,
        request: v1::UpdateChannelRequest,
    ) -> Result<v1::UpdateChannelResponse> {
        self.admin(|mut stub| async move { stub.update_channel(request).await }).await
    }

    /// Makes another secret for a webhook. It is in this reply and nowhere else.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], [`crate::ErrorKind::NotFound`], and those of
    /// reaching the server.
    pub async fn rotate_channel_secret(
        &self,
        request: v1::RotateChannelSecretRequest,
    ) -> Result<v1::RotateChannelSecretResponse> {
        self.admin(|mut stub| async move { stub.rotate_channel_secret(request).await }).await
    }

    /// Removes a channel.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn delete_channel(
        &self,
        request: v1::DeleteChannelRequest,
    ) -> Result<v1::DeleteChannelResponse> {
        self.admin(|mut stub| async move { stub.delete_channel(request).await }).await
    }

    /// Sends one message by a channel, and says what became of it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn test_channel(
        &self,
        request: v1::TestChannelRequest,
    ) -> Result<v1::TestChannelResponse> {
        self.admin(|mut stub| async move { stub.test_channel(request).await }).await
    }

    /// One page of the deliveries.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], and those of reaching the server.
    pub async fn list_deliveries(
        &self,
        request: v1::ListDeliveriesRequest,
    ) -> Result<v1::ListDeliveriesResponse> {
        self.admin(|mut stub| async move { stub.list_deliveries(request).await }).await
    }

    /// Has a delivery made again that was given up.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn redeliver(&self, request: v1::RedeliverRequest) -> Result<v1::RedeliverResponse> {
        self.admin(|mut stub| async move { stub.redeliver(request).await }).await
    }

    /// One page of the audit, latest first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], and those of reaching the server.
    pub async fn list_audit(&self, request: v1::ListAuditRequest) -> Result<v1::ListAuditResponse> {
        self.admin(|mut stub| async move { stub.list_audit(request).await }).await
    }

    /// The audit as it is written, from now on.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Denied`], [`crate::ErrorKind::Invalid`], and those of reaching the server.
    pub async fn follow_audit(&self, request: v1::FollowAuditRequest) -> Result<AuditStream> {
        let place = self.place();
        let stream = self.admin(|mut stub| async move { stub.follow_audit(request).await }).await?;
        Ok(AuditStream { stream, client: self.clone(), place })
    }

    /// Who the server takes this client for.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unauthenticated`], and those of reaching the server.
    pub async fn who_am_i(&self) -> Result<v1::WhoAmIResponse> {
        self.admin(|mut stub| async move { stub.who_am_i(v1::WhoAmIRequest {}).await }).await
    }

    async fn admin<R, F>(&self, rpc: impl FnOnce(AdminServiceClient<Authorized>) -> F) -> Result<R>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let place = self.place();
        let stub = AdminServiceClient::new(self.authorized(place)?);
        Ok(self.hear(place, Silence::For(ATTEMPT_LIMIT), rpc(stub)).await?.into_inner())
    }
}
