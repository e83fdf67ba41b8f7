//! What is said and done about a pending event beside answers: comments, claims, and who hands it over.

use hitl_core::{
    Act, Action, Assignee, AuditKind, Audited, Channel, Claim, Deliberation, Event, EventKey,
    Person, Principal, Responder, Role, Standing, ThreadEntry, Vote, check_act, limits,
};

use crate::Session;
use crate::error::Error;

impl Session {
    /// What was voted, said and done about `event`, if it matters who answers it and it is pending.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn deliberation(&self, event: &Event) -> Result<Deliberation, Error> {
        self.service().deliberation(event).await
    }

    /// The same of any event, at `key`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::LinkInvalid`], [`Error::PermissionDenied`], and those of the store.
    pub async fn thread(&self, key: &EventKey) -> Result<(Event, Deliberation), Error> {
        self.may(Action::Look(key))?;
        let service = self.service();
        let event = service.get(key).await?;
        Ok((event, service.0.store.deliberation(key).await?))
    }

    /// Says `text` in the thread of the event at `key`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AlreadyFinal`], [`Error::InvalidRequest`], [`Error::Full`], [`Error::ClockOff`],
    /// [`Error::LinkInvalid`], [`Error::PermissionDenied`], and those of the store.
    pub async fn comment(
        &self,
        key: &EventKey,
        by: Responder,
        text: String,
        needs_info: bool,
    ) -> Result<ThreadEntry, Error> {
        self.may(Action::Comment(key))?;
        let act = |_: &Event, _: &Deliberation, _: &Responder| Act::Comment { text, needs_info };
        Ok(self.add(key, by, act).await?.1)
    }

    /// Says that this principal is at the event at `key`, for `ttl_ms` or a quarter of an hour.
    ///
    /// # Errors
    /// Those of [`Session::comment`], [`Error::NotAssigned`], [`Error::NobodyInParticular`], [`Error::Claimed`].
    pub async fn claim(
        &self,
        key: &EventKey,
        by: Responder,
        ttl_ms: Option<i64>,
    ) -> Result<Event, Error> {
        self.may(Action::Respond(key))?;
        let now = self.service().now()?;
        let until = now.plus_ms(ttl_ms.unwrap_or(limits::CLAIM_MS_DEFAULT));
        let added = self.add(key, by, |_, _, _| Act::Claim { until }).await;
        Ok(added?.0)
    }

    /// Ends the claim on the event at `key`; an admin ends that of others too.
    ///
    /// # Errors
    /// Those of [`Session::claim`].
    pub async fn release(&self, key: &EventKey, by: Responder) -> Result<Event, Error> {
        self.may(Action::Respond(key))?;
        Ok(self.add(key, by, |_, _, _| Act::Release).await?.0)
    }

    /// Names somebody whom the event at `key` is for from now on, in the stead of this principal if that was one of
    /// them.
    ///
    /// # Errors
    /// Those of [`Session::claim`], and [`Error::AlreadyVoted`].
    pub async fn delegate(
        &self,
        key: &EventKey,
        by: Responder,
        to: Assignee,
    ) -> Result<Event, Error> {
        self.may(Action::Respond(key))?;
        let groups = self.standing(key).groups;
        let said = format!("to {}", to.name());
        let act = |event: &Event, so_far: &Deliberation, by: &Responder| {
            let hands_over = so_far.thread.roster(&event.request).names(by, &groups);
            Act::Delegate { to, hands_over }
        };
        let (event, _) = self.add(key, by, act).await?;
        self.audit(Audited::new(AuditKind::EventDelegated).of_event(key).saying(said)).await;
        Ok(event)
    }

    /// What this principal may do about the event at `key` beside what its roles let everybody.
    pub(crate) fn standing(&self, key: &EventKey) -> Standing {
        match self.principal() {
            Principal::Anyone | Principal::Owner => Standing { groups: Vec::new(), is_admin: true },
            Principal::Link(_) => Standing::default(),
            Principal::Known(known) => Standing {
                groups: known.groups.clone(),
                is_admin: known.rights.hold(Role::Admin, &key.namespace),
            },
        }
    }

    /// Who acts: whatever the caller says of itself, and what was proved.
    pub(crate) fn proved(&self, by: Responder) -> Responder {
        Responder { proof: Some(self.principal().proof()), ..by }
    }

    async fn add(
        &self,
        key: &EventKey,
        by: Responder,
        act: impl FnOnce(&Event, &Deliberation, &Responder) -> Act,
    ) -> Result<(Event, ThreadEntry), Error> {
        let service = self.service();
        let by = self.proved(by);
        let read_at = service.0.store.read_at();
        let event = service.get(key).await?;
        if let Some(response) = &event.response {
            let (state, time) = (event.state(), response.time);
            return Err(Error::AlreadyFinal { key: key.clone(), state, time });
        }
        let deliberation = service.0.store.deliberation(key).await?;
        let act = act(&event, &deliberation, &by);
        let now = service.now()?;
        let standing = self.standing(key);
        check_act(&event.request, &deliberation, &by, &act, &standing, now)
            .map_err(|rejection| Error::rejected(rejection, key))?;
        // The order of entries is that of their times, and two of one instant would have none.
        let last = deliberation.thread.entries().last();
        let time = last.map_or(now, |last| now.max(last.time.plus_ms(1)));
        let entry = ThreadEntry { time, by, act };
        let (writer, written, asked) = (service.clone(), entry.clone(), event.clone());
        let add = async move {
            let store = &writer.0.store;
            let updated = store.add_to_thread(&asked, read_at, &written, writer.nonce()).await?;
            writer.show_update(&updated);
            Ok(())
        };
        service.finish_anyway(add).await?;
        Ok((event, entry))
    }
}

impl Session {
    /// Whether `event` is for this principal to answer, after what was done about it so far. Where nothing is proved it
    /// is for whoever gives a name that fits, which shows when the answer comes.
    ///
    /// # Errors
    /// [`Error::NotAssigned`] and [`Error::NobodyInParticular`].
    pub fn is_for(&self, event: &Event, so_far: &Deliberation) -> Result<(), Error> {
        let key = event.request.key();
        if !event.request.is_deliberated() || *self.principal() == Principal::Anyone {
            return Ok(());
        }
        let by = self.itself();
        if Person::of(&by).is_none() {
            return Err(Error::NobodyInParticular(key));
        }
        let roster = so_far.thread.roster(&event.request);
        let is_one = roster.has(&by, &self.standing(&key).groups);
        if is_one { Ok(()) } else { Err(Error::NotAssigned(key)) }
    }

    /// What this principal has voted, if anything shows who it is.
    pub fn own_vote<'a>(&self, so_far: &'a Deliberation) -> Option<&'a Vote> {
        so_far.vote_of(&Person::of(&self.itself())?)
    }

    /// Whether `claim` is of this principal.
    pub fn holds(&self, claim: &Claim) -> bool {
        hitl_core::thread::is_same_person(&self.itself(), &claim.by)
    }

    /// This principal without any name that it gives itself.
    fn itself(&self) -> Responder {
        self.proved(Responder::claimed(String::new(), Channel::Http, String::new()))
    }
}
