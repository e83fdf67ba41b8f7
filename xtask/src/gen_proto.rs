//! Generates `proto/src/gen` from `proto/hitl/v1`, and from gRPC's protocol of health, which no SDK needs; and has the
//! other SDKs generate theirs.
//!
//! The output is checked in, so that building hitl needs neither `protoc` nor a build script; a test
//! here proves it fresh.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use prost::Message;

use crate::repo::top;
use crate::{process, tools};

/// Directory of the generated code, from the top of the repository.
const OUTPUT: &str = "proto/src/gen";

/// Where gRPC's protocol of health is, from the top of the repository.
const HEALTH: &str = "server/proto";

/// File name, below [`OUTPUT`], to contents.
type Generated = BTreeMap<String, Vec<u8>>;

/// The protos of the last release: what `buf breaking` compares with, without network or history.
const BASELINE: &str = "proto/baseline.binpb";

/// Runs `buf generate`, after it installed the plugins that `buf.gen.yaml` lists.
const SDKS: &str = "sdk/generate";

/// Writes the generated code into the tree, and the baseline if a release wants a new one.
pub(crate) fn run(baseline: bool) -> Result<()> {
    for (name, contents) in generate()? {
        let path = top().join(OUTPUT).join(name);
        fs::write(&path, contents).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if baseline {
        (tools::BUF.provide)()?;
        let mut build = Command::new("buf");
        build
            .args(["build", "proto", "-o", BASELINE])
            .current_dir(top())
            .env("PATH", tools::path()?);
        process::run(&mut build)?;
    }
    process::run(Command::new(top().join(SDKS)).current_dir(top()))
}

fn generate() -> Result<Generated> {
    let mut config = tonic_prost_build::Config::new();
    // They hold links and tokens; `proto/src/debug.rs` prints all but those.
    config.skip_debug([
        ".hitl.v1.Event",
        ".hitl.v1.CreateLinkResponse",
        ".hitl.v1.CreateTokenResponse",
        ".hitl.v1.RotateTokenResponse",
        ".hitl.v1.CreateChannelResponse",
        ".hitl.v1.RotateChannelSecretResponse",
        ".hitl.v1.WebhookSettings",
        ".hitl.v1.NtfySettings",
        ".hitl.v1.DiscordSettings",
        ".hitl.v1.TeamsSettings",
        ".hitl.v1.MailSettings",
        ".hitl.v1.SlackSettings",
    ]);
    let mut generated = compile("proto", proto_files()?, config, "descriptor.binpb")?;
    let health = vec![top().join(HEALTH).join("grpc/health/v1/health.proto")];
    let config = tonic_prost_build::Config::new();
    generated.extend(compile(HEALTH, health, config, "health.binpb")?);
    Ok(generated)
}

/// The code of `files`, which lie below `root`, and their descriptors under the name `descriptors_name`.
fn compile(
    root: &str,
    files: Vec<PathBuf>,
    mut config: tonic_prost_build::Config,
    descriptors_name: &str,
) -> Result<Generated> {
    let descriptors = protox::Compiler::new([top().join(root)])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(files)?
        .file_descriptor_set();
    let scratch = tempfile::tempdir()?;
    config.enable_type_names();
    tonic_prost_build::configure()
        .out_dir(scratch.path())
        // A request's fingerprint and a page's order must not depend on a hash seed.
        .btree_map(".")
        .compile_fds_with_config(descriptors.clone(), config)?;

    let mut generated = Generated::new();
    for entry in fs::read_dir(scratch.path())? {
        let path = entry?.path();
        let name = path.file_name().context("a generated file has a name")?;
        generated.insert(name.to_string_lossy().into_owned(), fs::read(&path)?);
    }
    generated.insert(descriptors_name.to_owned(), descriptors.encode_to_vec());
    Ok(generated)
}

fn proto_files() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(top().join("proto/hitl/v1"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checked-in code is what the protos generate: nobody edited either alone.
    #[test]
    fn generated_code_is_fresh() {
        for (name, contents) in generate().expect("the protos compile") {
            let checked_in = fs::read(top().join(OUTPUT).join(&name)).unwrap_or_default();
            assert!(checked_in == contents, "{OUTPUT}/{name} is stale: run `cargo xtask gen`");
        }
    }
}
