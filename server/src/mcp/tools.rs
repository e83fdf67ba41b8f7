//! The tools: from a call to a result.

use hitl_proto::v1::{self, EventState};
use hitl_proto::visible;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ElicitRequest, ElicitRequestParams,
    ElicitResult, ElicitationCapability, Implementation, InputRequest, InputRequiredResult,
    ListToolsResult, PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;

use super::arguments::{self, CancelArguments, ListArguments, WaitArguments};
use super::ask::{self, Ask, Of};
use super::desk::Desk;
use super::dialog::{Asked, Dialogs, MISSES_MAX};
use super::elicit::{self, Said};
use super::hold::hold;
use super::key;
use super::refused::{Refused, Why};
use super::show;
use super::state::State;
use super::table;

/// What the one thing that a user is asked is called, in what is asked and what comes back.
const REQUEST: &str = "answer";
/// Characters of the name of a client.
const CLIENT_CHARS_MAX: usize = 80;
/// Questions of a page whose size is not given.
const PAGE_DEFAULT: i32 = 20;
/// Most questions of a page.
const PAGE_MAX: i32 = 50;

/// The tools of one client.
#[derive(Clone, Debug)]
pub(super) struct Tools<D> {
    desk: D,
    dialogs: Dialogs,
}

/// A call of `ask_human`, and the question that it is about.
struct Question<'a> {
    event: v1::Event,
    state: State,
    /// Who asks, and what: a state that the client carries is good for that alone.
    bound: &'a str,
}

/// What became of asking the user.
enum Consulted {
    /// The event as it stands.
    Event(Box<v1::Event>),
    /// The client has to ask the user, and to call again.
    Required(InputRequiredResult),
}

impl<D: Desk> Tools<D> {
    pub(super) fn new(desk: D) -> Self {
        Self { desk, dialogs: Dialogs::default() }
    }

    async fn ask(
        &self,
        params: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, Refused> {
        let ask: Ask = arguments::read(params.arguments)?;
        let bound = key::digest(self.desk.asker(), &ask.arguments());
        let (event, state) = match params.request_state {
            Some(sealed) => {
                let state = self.desk.seal().open(&sealed, bound.as_bytes())?;
                (self.desk.get(&state.id).await?, state)
            }
            None => self.create(&ask, &bound).await?,
        };
        let repeated = state.repeated;
        let mut question = Question { event, state, bound: &bound };
        if question.event.response.is_none() && ask.of() == Of::User {
            let said = params.input_responses.and_then(|mut all| all.remove(REQUEST));
            match self.consult(&mut question, said, context).await? {
                Consulted::Event(event) => question.event = *event,
                Consulted::Required(result) => return Ok(result.into()),
            }
        }
        let event = hold(&self.desk, question.event, ask.hold(), context).await?;
        Ok(show::question(&self.desk, &event, repeated).into())
    }

    async fn create(&self, ask: &Ask, bound: &str) -> Result<(v1::Event, State), Refused> {
        let created = key::create(&self.desk, ask.request()?, bound).await?;
        let event = created.event.unwrap_or_default();
        let state = State { id: event.id.clone(), misses: 0, repeated: created.existed };
        Ok((event, state))
    }

    /// Asks the user at the client, if that can show a dialog; or takes what they have `said` in it.
    async fn consult(
        &self,
        question: &mut Question<'_>,
        said: Option<Value>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Consulted, Refused> {
        if let Some(said) = said {
            return self.record(question, said, context).await;
        }
        let is_required = requires_input(context);
        let event = question.event.clone();
        let Some(params) = self.dialog(&event, context, None).await? else {
            return Ok(Consulted::Event(event.into()));
        };
        if is_required {
            return Ok(self.required(question, params));
        }
        if D::REACHES_CLIENT {
            let (peer, responder) = (context.peer.clone(), user_of(context));
            self.dialogs.open(&self.desk, event.clone(), Asked { peer, responder, params });
        }
        Ok(Consulted::Event(event.into()))
    }

    /// Records what the user has said in the dialog, or has them asked again.
    async fn record(
        &self,
        question: &mut Question<'_>,
        said: Value,
        context: &RequestContext<RoleServer>,
    ) -> Result<Consulted, Refused> {
        let result: ElicitResult = serde_json::from_value(said).map_err(|error| {
            Refused::other(format!("the response to the elicitation is none: {error}"))
        })?;
        let id = question.event.id.clone();
        let recorded = match elicit::said(&question.event, &result) {
            Said::Answer(json) => self.desk.answer(&id, json, &user_of(context)).await,
            Said::Declined => self.desk.decline(&id, "", &user_of(context)).await,
            Said::Nothing => Ok(question.event.clone()),
        };
        match recorded {
            Ok(event) => Ok(Consulted::Event(event.into())),
            // Somebody else was first.
            Err(Refused { why: Why::Ended, .. }) => {
                self.desk.get(&id).await.map(|event| Consulted::Event(event.into()))
            }
            Err(refused)
                if refused.why == Why::InvalidAnswer && question.state.misses < MISSES_MAX =>
            {
                let event = question.event.clone();
                let dialog = self.dialog(&event, context, Some(refused.message())).await?;
                question.state.misses += 1;
                Ok(match dialog {
                    Some(params) => self.required(question, params),
                    None => Consulted::Event(event.into()),
                })
            }
            Err(refused) => Err(refused.followed_by(&format!(
                "The question stays open: call wait_for_answer with the id {id}"
            ))),
        }
    }

    /// The dialog for `event` that this client can show.
    async fn dialog(
        &self,
        event: &v1::Event,
        context: &RequestContext<RoleServer>,
        problem: Option<&str>,
    ) -> Result<Option<ElicitRequestParams>, Refused> {
        let Some(client) = elicitation(context) else { return Ok(None) };
        let may_answer = self.desk.may_answer(&event.id).await?;
        let link = match event.form_url.as_str() {
            "" => self.desk.page(event),
            link => link.to_owned(),
        };
        Ok(elicit::dialog(event, &client, may_answer, &link, problem))
    }

    fn required(&self, question: &Question<'_>, params: ElicitRequestParams) -> Consulted {
        let request = InputRequest::Elicitation(ElicitRequest::new(params));
        let requests = [(REQUEST.to_owned(), request)].into();
        let sealed = self.desk.seal().seal(&question.state, question.bound.as_bytes());
        Consulted::Required(InputRequiredResult::new(Some(requests), Some(sealed)))
    }

    async fn wait(
        &self,
        params: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Refused> {
        let WaitArguments { id, wait_seconds } = arguments::read(params.arguments)?;
        let event = self.desk.get(&id).await?;
        let event = hold(&self.desk, event, ask::hold(wait_seconds), context).await?;
        Ok(show::question(&self.desk, &event, false))
    }

    async fn cancel(&self, params: CallToolRequestParams) -> Result<CallToolResult, Refused> {
        let CancelArguments { id, reason } = arguments::read(params.arguments)?;
        let event = match self.desk.cancel(&id, &reason).await {
            Err(Refused { why: Why::Ended, .. }) => self.desk.get(&id).await?,
            cancelled => cancelled?,
        };
        Ok(show::question(&self.desk, &event, false))
    }

    async fn list(&self, params: CallToolRequestParams) -> Result<CallToolResult, Refused> {
        let ListArguments { state, labels, limit, cursor } = arguments::read(params.arguments)?;
        let request = v1::ListEventsRequest {
            page_size: limit.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX),
            page_token: cursor,
            state: EventState::from(state).into(),
            labels,
            ..v1::ListEventsRequest::default()
        };
        Ok(show::questions(&self.desk.list(request).await?))
    }
}

impl<D: Desk> ServerHandler for Tools<D> {
    fn get_info(&self) -> ServerConfig {
        let us = Implementation::new("hitl", env!("CARGO_PKG_VERSION")).with_title("hitl");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(us)
            .with_instructions(table::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(table::tools().to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        table::tools().iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let called = match &*params.name {
            table::ASK => self.ask(params, &context).await,
            table::WAIT => self.wait(params, &context).await.map(Into::into),
            table::CANCEL => self.cancel(params).await.map(Into::into),
            table::LIST => self.list(params).await.map(Into::into),
            other => {
                let message = format!("there is no tool {:?}", visible::cut_line(other, 40));
                return Err(ErrorData::invalid_params(message, None));
            }
        };
        Ok(called.unwrap_or_else(|refused| CallToolResult::from(refused).into()))
    }
}

/// What the client can show its user, if anything. One of before 2026-07-28 is only known where it stays connected.
fn elicitation(context: &RequestContext<RoleServer>) -> Option<ElicitationCapability> {
    context.client_capabilities()?.elicitation
}

/// Whether the client is asked by the result of its call, and not by a request beside it.
fn requires_input(context: &RequestContext<RoleServer>) -> bool {
    let version = context.protocol_version();
    version.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// In whose name an answer of the user is recorded: a claim, as the client gives it.
fn user_of(context: &RequestContext<RoleServer>) -> String {
    let client = context.client_info().map(|client| client.title.unwrap_or(client.name));
    let client = client.filter(|name| !name.is_empty()).unwrap_or_else(|| "a client".to_owned());
    format!("the user of {}", visible::cut_line(&client, CLIENT_CHARS_MAX))
}
