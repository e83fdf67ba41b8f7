//! The reference verifiers of Standard Webhooks, which others wrote.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use support::tools;

use crate::receiver::Got;

/// Reads the secret, the headers and the body, and ends with 0 if the package `standardwebhooks` takes them.
const PYTHON: &str = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
said = json.load(sys.stdin)
try:
    Webhook(said['secret']).verify(said['body'], said['headers'])
except WebhookVerificationError:
    sys.exit(3)
";

const JAVASCRIPT: &str = "
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { readFileSync } from 'node:fs';
const said = JSON.parse(readFileSync(0, 'utf8'));
try {
  new Webhook(said.secret).verify(said.body, said.headers);
} catch (error) {
  process.exit(error instanceof WebhookVerificationError ? 3 : 1);
}
";

/// Whether the package of PyPI takes the message.
pub(crate) fn python(secret: &str, message: &Got) -> bool {
    let mut command = Command::new(tools::webhooks_python());
    command.args(["-c", PYTHON]);
    verify(command, secret, message)
}

/// Whether the package of npm takes the message.
pub(crate) fn javascript(secret: &str, message: &Got) -> bool {
    let mut command = Command::new("node");
    let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/channels");
    command.args(["--input-type=module", "-e", JAVASCRIPT]).current_dir(packages);
    verify(command, secret, message)
}

fn verify(mut command: Command, secret: &str, message: &Got) -> bool {
    let headers = json!({
        "webhook-id": message.id,
        "webhook-timestamp": message.timestamp,
        "webhook-signature": message.signature,
    });
    let said = json!({ "secret": secret, "headers": headers, "body": message.body });
    let command = command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the interpreter is installed");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(said.to_string().as_bytes()).expect("it is read");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    match output.status.code() {
        Some(0) => true,
        Some(3) => false,
        other => panic!("{other:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}
