//! Goes back to events that were asked before, by this process or another.

use hitl_proto::v1;
use hitl_proto::v1::input::Kind;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::value::DataType;

impl Client {
    /// Attaches to an event that was asked before, by its id. `T` is the type of its answer, as when it
    /// was created.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], [`crate::ErrorKind::Invalid`] if the event asks for another kind of
    /// answer, and those of reaching the server.
    pub async fn attach<T: DataType>(&self, event_id: &str) -> Result<Event<T>> {
        attached(self.clone(), self.get(event_id).await?)
    }
}

/// The event with its type, if that is what it asks for.
pub(crate) fn attached<T: DataType, C>(client: C, event: v1::Event) -> Result<Event<T, C>> {
    let given = name(&T::input(T::Input::default()));
    let asked = event.input.as_ref().and_then(|input| input.kind.as_ref()).map_or("nothing", name);
    if asked != given {
        let help = "give the type it was created with";
        return Err(Error::config(format!("the event asks for {asked}, not {given}: {help}")));
    }
    Event::new(client, v1::CreateEventResponse { event: Some(event), existed: true })
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Int(_) => "int",
        Kind::Float(_) => "float",
        Kind::Str(_) => "str",
        Kind::Bool(_) => "bool",
        Kind::Choice(_) => "choice",
        Kind::Object(_) => "object",
        Kind::Review(_) => "review",
    }
}
