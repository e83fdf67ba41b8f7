//! Who answers or declines, as the flags say.

use clap::Args;

#[derive(Args, Debug)]
pub(super) struct ResponderArgs {
    /// Your name; recorded with what you say.
    #[arg(
        long = "as",
        value_name = "NAME",
        env = "USER",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) responder: String,
}
