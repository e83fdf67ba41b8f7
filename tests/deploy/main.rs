//! The Kubernetes manifests, held against the schemas of Kubernetes itself and against the server.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use support::server::{Config, Server};
use support::stores::Kind;
use support::{http, tools};

/// The versions of Kubernetes whose schemas are asked: an old one that is in use, and the newest.
const VERSIONS: [&str; 2] = ["1.32", "1.37"];

/// All that there is.
const RESOURCES: [&str; 6] = [
    "configmap/hitl",
    "deployment/hitl",
    "networkpolicy/hitl",
    "poddisruptionbudget/hitl",
    "service/hitl",
    "serviceaccount/hitl",
];

/// All manifests, one after the other.
fn manifests() -> String {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/kubernetes");
    let files = std::fs::read_dir(dir).expect("they are in a directory");
    let texts = files.map(|file| std::fs::read_to_string(file.expect("a file").path()));
    texts.map(|text| text.expect("manifests are text")).collect::<Vec<_>>().join("---\n")
}

/// The resources of `manifests` that are valid, or what is said of those that are not.
fn validate(manifests: &str, version: &str) -> Result<Vec<String>, String> {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").expect("a file");
    std::fs::write(file.path(), manifests).expect("it can be written");
    let mut validate = Command::new(tools::kubernetes_validate());
    validate.args(["--strict", "--kubernetes-version", version]).arg(file.path());
    let output = run(&mut validate);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    // A kind that it does not know is worth a warning to it, and no more.
    if !output.status.success() || said.contains("WARN") {
        return Err(said);
    }
    let valid = said.lines().filter_map(|line| line.split_once(" passed for resource "));
    let mut valid: Vec<_> =
        valid.filter_map(|(_, rest)| rest.split(' ').next()).map(str::to_owned).collect();
    valid.sort();
    Ok(valid)
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"))
}

#[test]
fn the_manifests_are_what_kubernetes_expects() {
    for version in VERSIONS {
        let valid = validate(&manifests(), version);
        assert_eq!(valid.as_deref(), Ok(RESOURCES.map(str::to_owned).as_slice()), "{version}");
    }
}

#[test]
fn a_wrong_name_type_kind_or_version_is_found() {
    let manifests = manifests();
    let mistakes = [
        ("readinessProbe:", "readinesProbe:", "readinesProbe"),
        ("replicas: 3", "replicas: three", "three"),
        ("      containers:\n", "      container:\n", "container"),
        ("kind: PodDisruptionBudget", "kind: PodDisruptionBudgets", "PodDisruptionBudgets"),
        ("apiVersion: apps/v1\n", "apiVersion: apps/v9\n", "apps/v9"),
    ];
    for (right, wrong, named) in mistakes {
        assert!(manifests.contains(right), "{right}");
        let refused = validate(&manifests.replacen(right, wrong, 1), VERSIONS[1]);
        let said = refused.expect_err(wrong);
        assert!(said.contains(named), "{wrong}: {said}");
    }
}

/// The token of the admin.
const TOKEN: &str = "aaaabbbbccccddddeeeeffff00001111";
/// What one wait takes at most, in KiB.
const WAIT_KIB: u64 = 12;

#[test]
fn the_memory_of_a_pod_is_enough_for_the_waits_that_it_takes() {
    let manifests = manifests();
    let number_after = |start: &str, unit: &str| {
        let lines = manifests.lines().map(str::trim);
        let found =
            lines.filter_map(|line| line.strip_prefix(start)?.strip_suffix(unit)).next_back();
        found.and_then(|number| number.parse::<u64>().ok()).unwrap_or_else(|| panic!("no {start}"))
    };
    let waits = number_after("- --max-waits=", "");
    let limit_mib = number_after("memory: ", "Mi");
    // The server uses three quarters of what it may, takes a part of it for itself, leaves a third of the rest to
    // callers, and half of that to waits.
    let used_mib = limit_mib * 3 / 4;
    let for_waits_kib = (used_mib - (used_mib / 4).min(128)) * 1024 / 6;
    assert!(waits * WAIT_KIB <= for_waits_kib, "{waits} waits in {limit_mib} MiB");
    assert!(waits * WAIT_KIB * 2 > for_waits_kib, "half of it would do for {waits} waits");
}

#[tokio::test]
async fn the_server_takes_the_arguments_of_the_deployment_and_answers_its_probes_and_its_admin() {
    let manifests = manifests();
    let after = |start: &str| {
        let lines = manifests.lines().map(str::trim);
        lines.filter_map(|line| line.strip_prefix(start)).map(str::to_owned).collect::<Vec<_>>()
    };
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["link.key", "receipt.key"] {
        let key = dir.path().join(name);
        std::fs::write(&key, "0123456789abcdef".repeat(4)).expect("it can be written");
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o400)).expect("it is ours");
    }
    let token = dir.path().join("token");
    std::fs::write(&token, TOKEN).expect("it can be written");
    std::fs::set_permissions(&token, PermissionsExt::from_mode(0o400)).expect("it is ours");
    let arguments = after("- --");
    assert_eq!(arguments.len(), 6, "{arguments:?}");
    let mut config = Config::new(tools::hitl()).with_credentials().kind(Kind::StrictS3);
    for argument in arguments.iter().filter(|argument| !argument.starts_with("listen=")) {
        let argument = argument.replace("/etc/hitl/", &format!("{}/", dir.path().display()));
        let argument = argument.replace("/etc/hitl-admin/token", &token.display().to_string());
        config = config.arg(format!("--{argument}"));
    }
    let server = Server::start(config).await.expect("it starts");
    let probes = after("path: /");
    assert_eq!(probes.len(), 3, "{probes:?}");
    let client = http::client().build().expect("a client without special settings");
    for path in probes {
        let reply = client.get(server.url(&format!("/{path}"))).send().await;
        assert_eq!(reply.expect("the server replies").status().as_u16(), 200, "/{path}");
    }
    let other = TOKEN.replace('a', "b");
    for (token, status) in [(TOKEN, 200), (&other, 401)] {
        let call = client.get(server.url("/v1/events")).header("host", "hitl.hitl:4485");
        let call = call.bearer_auth(token);
        assert_eq!(call.send().await.expect("the server replies").status().as_u16(), status);
    }
}
