//! A server that wants credentials, and tokens for it: good ones, and some that are not good any more.

use std::path::Path;

use anyhow::{Context, Result};
use hitl_proto::v1::admin_service_client::AdminServiceClient;
use hitl_proto::v1::{self, Role};
use serde_json::{Value as Json, json};
use support::server::{ADMIN, Config, Server, channel};
use support::tools;
use tonic::Request;
use tonic::transport::Channel;

use crate::vars::Vars;

/// Starts the server, with its store in `dir`, and keeps a token of each kind under its name.
pub(crate) async fn start(dir: &Path, vars: &mut Vars) -> Result<Server> {
    let store = dir.join("store");
    let config = Config::new(tools::hitl()).with_admin(dir);
    let config = config.store(format!("file://{}", store.display()));
    let server = Server::start(config).await?;
    let mut admin = AdminServiceClient::new(channel(&server.endpoint()));
    vars.set("good", make(&mut admin, Role::Admin).await?.secret.into());
    vars.set("reader", make(&mut admin, Role::Auditor).await?.secret.into());
    let revoked = make(&mut admin, Role::Admin).await?;
    let revoke = v1::RevokeTokenRequest { token_id: id_of(&revoked)? };
    admin.revoke_token(as_admin(revoke)?).await?;
    vars.set("revoked", revoked.secret.into());
    let expired = make(&mut admin, Role::Admin).await?;
    expire(&store.join(format!("tokens/{}/token.json", id_of(&expired)?)))?;
    vars.set("expired", expired.secret.into());
    Ok(server)
}

async fn make(
    admin: &mut AdminServiceClient<Channel>,
    role: Role,
) -> Result<v1::CreateTokenResponse> {
    let name = format!("{role:?}");
    let asked = v1::CreateTokenRequest { name, roles: vec![role.into()], ..Default::default() };
    Ok(admin.create_token(as_admin(asked)?).await?.into_inner())
}

fn id_of(made: &v1::CreateTokenResponse) -> Result<String> {
    Ok(made.token.as_ref().context("a token is described")?.id.clone())
}

fn as_admin<T>(message: T) -> Result<Request<T>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {ADMIN}").parse()?);
    Ok(request)
}

/// Has the token that is stored at `path` expire long ago, as time would.
fn expire(path: &Path) -> Result<()> {
    let mut record: Json = serde_json::from_slice(&std::fs::read(path)?)?;
    record["token"]["expire_time"] = json!("2020-01-01T00:00:00.000Z");
    Ok(std::fs::write(path, record.to_string())?)
}
