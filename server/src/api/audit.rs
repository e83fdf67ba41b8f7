//! `AdminService.ListAudit` and `FollowAudit`: what was done about who may do what.

use hitl_core::{AuditEntry, AuditFilter, AuditKind, Namespaces};
use hitl_proto::v1;
use hitl_service::{AuditFollow, AuditPage, AuditQuery, Error};

use super::{Api, Caller, from_proto, to_proto};

impl Api {
    /// `AdminService.ListAudit`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_audit(
        &self,
        request: v1::ListAuditRequest,
        caller: &Caller,
    ) -> Result<v1::ListAuditResponse, Error> {
        let query = AuditQuery {
            filter: filter(request.filter.unwrap_or_default())?,
            page_size: from_proto::page_size(request.page_size)?,
            page_token: request.page_token,
        };
        let _turn = self.admission.page(caller.payer()).await?;
        let session = self.session(caller);
        let list = async move { session.list_audit(&query).await };
        let page = self.service.background().run(list).await??;
        let AuditPage { entries, next_page_token, unreadable } = page;
        let entries = entries.into_iter().map(entry).collect();
        Ok(v1::ListAuditResponse { entries, next_page_token, unreadable })
    }

    /// `AdminService.FollowAudit`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub fn follow_audit(
        &self,
        request: v1::FollowAuditRequest,
        caller: &Caller,
    ) -> Result<AuditFollow, Error> {
        let filter = filter(request.filter.unwrap_or_default())?;
        if filter.since.is_some() || filter.before.is_some() {
            return Err(Error::invalid("filter", "must have neither since nor before"));
        }
        self.session(caller).follow_audit(filter)
    }
}

/// New entries, as a message of the stream.
pub(crate) fn followed(entries: Vec<AuditEntry>) -> v1::FollowAuditResponse {
    v1::FollowAuditResponse { entries: entries.into_iter().map(entry).collect() }
}

fn filter(filter: v1::AuditFilter) -> Result<AuditFilter, Error> {
    let kinds = filter.kinds().map(kind).collect::<Option<_>>();
    let namespaces = match filter.namespace.as_str() {
        "" => Namespaces::All,
        name => Namespaces::Only([from_proto::namespace(name)?].into()),
    };
    Ok(AuditFilter {
        kinds: kinds.ok_or_else(|| Error::invalid("filter.kinds", "must be known kinds"))?,
        principal: Some(filter.principal).filter(|principal| !principal.is_empty()),
        namespaces,
        since: from_proto::instant("filter.since", filter.since)?,
        before: from_proto::instant("filter.before", filter.before)?,
    })
}

fn entry(entry: AuditEntry) -> v1::AuditEntry {
    v1::AuditEntry {
        time: Some(to_proto::timestamp(entry.time)),
        kind: kind_to_proto(entry.kind).into(),
        known_by: to_proto::credential_kind(entry.who.known_by).into(),
        principal: entry.who.name,
        principal_id: entry.who.id,
        address: entry.address,
        namespace: entry.namespace.map(|namespace| namespace.to_string()).unwrap_or_default(),
        action: entry.action,
        subject: entry.subject,
        detail: entry.detail,
        count: i64::try_from(entry.count).unwrap_or(i64::MAX),
        last_time: entry.last_time.map(to_proto::timestamp),
    }
}

fn kind(kind: v1::AuditKind) -> Option<AuditKind> {
    AuditKind::ALL.into_iter().find(|known| kind_to_proto(*known) == kind)
}

fn kind_to_proto(kind: AuditKind) -> v1::AuditKind {
    match kind {
        AuditKind::SignIn => v1::AuditKind::SignIn,
        AuditKind::SignOut => v1::AuditKind::SignOut,
        AuditKind::Refusal => v1::AuditKind::Refusal,
        AuditKind::TokenCreated => v1::AuditKind::TokenCreated,
        AuditKind::TokenRotated => v1::AuditKind::TokenRotated,
        AuditKind::TokenRevoked => v1::AuditKind::TokenRevoked,
        AuditKind::LinkCreated => v1::AuditKind::LinkCreated,
        AuditKind::LinksRevoked => v1::AuditKind::LinksRevoked,
        AuditKind::LinkKeyRotated => v1::AuditKind::LinkKeyRotated,
        AuditKind::ReceiptKeyAdded => v1::AuditKind::ReceiptKeyAdded,
        AuditKind::Settings => v1::AuditKind::Settings,
        AuditKind::EventDelegated => v1::AuditKind::EventDelegated,
        AuditKind::ChannelCreated => v1::AuditKind::ChannelCreated,
        AuditKind::ChannelChanged => v1::AuditKind::ChannelChanged,
        AuditKind::ChannelDeleted => v1::AuditKind::ChannelDeleted,
        AuditKind::Redelivered => v1::AuditKind::Redelivered,
        AuditKind::Unknown => v1::AuditKind::Unspecified,
    }
}
