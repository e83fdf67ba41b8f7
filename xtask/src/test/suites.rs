//! What `cargo xtask test` runs: the one list of suites. Another one is another line here.

use crate::binaries::{BINARIES, SERVER_OF_SDKS};
use crate::tools::{
    AIOSMTPD, AZURITE, BROWSER_SCRIPTS, BUF, CARGO_DENY, CHROMIUM_BROWSER, FASTMCP, FAUXQS, GHZ,
    GRPC_HEALTH_PROBE, GRPCURL, GUEST, H2LOAD, HELM, KUBERNETES_VALIDATE, MCP_INSPECTOR,
    MCP_PYTHON, MCP_SCRIPTS, MINISTACK, MKDOCS, MKE2FS, Need, OIDC_SCRIPTS, PROMTOOL, QEMU, RUBY,
    S3RVER, SCHEMATHESIS, SEAWEEDFS, SLOWHTTPTEST, TEMPORAL, WEBHOOKS_PYTHON, WEBHOOKS_SCRIPTS,
};

/// Tests that pass or fail together in the summary.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// What must be in place first. A suite without it has failed: a test not run proves nothing.
    pub(crate) needs: [&'static [&'static Need]; 2],
    pub(crate) lane: Lane,
    /// Whether it only runs when it is named, since it takes long.
    pub(crate) is_only_by_name: bool,
    /// Commands, all of which are run, even after one has failed.
    pub(crate) steps: &'static [Step],
}

/// Beside which others a suite runs. Those of one lane run one after the other, in the order of [`SUITES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Before all others, with nothing beside it: these compile, and keep all processors busy.
    First,
    /// Beside those of clients. Most tests of both wait most of the time. With more lanes than these two all
    /// processors are busy, and each test gets slower.
    Servers,
    Clients,
    /// After all others, with nothing beside it: these load the machine, and measure.
    Last,
}

/// The lanes in the order in which they run, and which of them run side by side.
pub(crate) const LANES: [&[Lane]; 3] = [&[First], &[Servers, Clients], &[Last]];

/// One command of a suite, run at the top of the repository.
pub(crate) enum Step {
    /// Counts as one check.
    Check(&'static [&'static str]),
    /// `cargo test` of the workspace, with the developer's own arguments after these; its tests are counted.
    CargoTest(&'static [&'static str]),
    /// The end-to-end tests with every event in a store of this kind, but where a test is about another. Counts as
    /// `cargo test` does.
    EndToEnd(&'static str),
}

use Lane::{Clients, First, Last, Servers};
use Step::{CargoTest, Check, EndToEnd};

/// In the order they run, in each lane: what is quick and fails often comes first.
pub(crate) const SUITES: &[Suite] = &[
    suite(First, "fmt", &[], &[Check(&["cargo", "fmt", "--all", "--check"])]),
    suite(First, "clippy", &[], &[Check(CLIPPY)]),
    suite(First, "tidy", &[], &[Check(&["cargo", "xtask", "tidy"])]),
    suite(
        First,
        "proto",
        &[&BUF],
        &[
            Check(&["buf", "lint"]),
            Check(&["buf", "format", "--diff", "--exit-code"]),
            Check(&["buf", "breaking", "proto", "--against", "proto/baseline.binpb"]),
        ],
    ),
    suite(
        First,
        "supply",
        &[&BINARIES, &CARGO_DENY],
        &[
            Check(&["cargo", "xtask", "supply"]),
            Check(&["cargo", "deny", "--locked", "check", "bans", "licenses", "sources"]),
        ],
    ),
    suite(First, "unit", &[], &[CargoTest(UNIT), CargoTest(&["--doc"])]),
    suite(First, "docs", &[], &[Check(DOCS)]),
    end_to_end("e2e", &[], &[EndToEnd(FIRST_STORE)]),
    suite(
        Servers,
        "oidc",
        &[&BINARIES, &CHROMIUM_BROWSER, &OIDC_SCRIPTS],
        &[CargoTest(&["--test", "oidc", "--", "--nocapture"])],
    ),
    suite(
        Clients,
        "mcp",
        &[&BINARIES, &MCP_PYTHON, &MCP_SCRIPTS, &FASTMCP, &MCP_INSPECTOR],
        &[CargoTest(&["--test", "mcp", "--", "--nocapture"]), Check(&["tests/mcp/others/check"])],
    ),
    suite(
        Servers,
        "channels",
        &[&BINARIES, &WEBHOOKS_PYTHON, &WEBHOOKS_SCRIPTS],
        &[CargoTest(&["--test", "channels", "--", "--nocapture"])],
    ),
    suite(Servers, "notices", &[&BINARIES, &AIOSMTPD], &[CargoTest(&["--test", "notices"])]),
    end_to_end("e2e-memory", &[], &[EndToEnd("memory")]),
    end_to_end("e2e-files", &[], &[EndToEnd("files")]),
    end_to_end("e2e-ministack", &[&MINISTACK], &[EndToEnd("ministack")]),
    end_to_end("e2e-seaweedfs", &[&SEAWEEDFS], &[EndToEnd("seaweedfs")]),
    end_to_end("e2e-azurite", &[&AZURITE], &[EndToEnd("azurite")]),
    end_to_end("e2e-strict-s3", &[], &[EndToEnd("strict-s3")]),
    end_to_end("e2e-strict-gcs", &[], &[EndToEnd("strict-gcs")]),
    suite(
        Servers,
        "deploy",
        &[&BINARIES, &KUBERNETES_VALIDATE],
        &[CargoTest(&["--test", "deploy"])],
    ),
    suite(
        Clients,
        "openapi",
        &[&BINARIES, &SCHEMATHESIS],
        &[CargoTest(&["--test", "openapi", "--", "--nocapture"])],
    ),
    suite(Servers, "fuzz", &[], &[Check(&["cargo", "xtask", "fuzz"])]),
    // It mounts file systems, which takes root.
    suite(Servers, "disk", &[&BINARIES], &[CargoTest(&["--test", "disk"])]),
    suite(Servers, "sim", &[], &[CargoTest(&["--test", "sim"])]),
    sdk("sdk-rust", &[Check(&["sdk/rust/test-package"])]),
    sdk("sdk-python", &[Check(&["sdk/python/check"]), Check(&["sdk/python/test-package"])]),
    sdk(
        "sdk-typescript",
        &[Check(&["sdk/typescript/check"]), Check(&["sdk/typescript/test-package"])],
    ),
    sdk("sdk-go", &[Check(&["sdk/go/check"]), Check(&["sdk/go/test-package"])]),
    sdk("sdk-java", &[Check(&["sdk/java/check"]), Check(&["sdk/java/test-package"])]),
    sdk("generated", &[Check(&["sdk/generate", "--check"])]),
    // After the checks of the SDKs, which install and build what the adapters are made of.
    sdk("conformance", &[CargoTest(CONFORMANCE)]),
    sdk("adapters", &[Check(&["adapters/check"])]),
    // After the checks of the SDKs, which install what packages are made with. It takes root.
    sdk("packages", &[Check(&["packaging/check"])]),
    suite(Clients, "site", &[&MKDOCS], &[Check(&["cargo", "xtask", "site"])]),
    suite(
        Clients,
        "observe",
        &[&BINARIES, &PROMTOOL],
        &[Check(&["python3", "deploy/observe/check.py"])],
    ),
    suite(
        Last,
        "abuse",
        &[&BINARIES, &SLOWHTTPTEST, &H2LOAD],
        &[CargoTest(&["--test", "abuse", "--", "--nocapture"])],
    ),
    suite(Last, "crash", &[&BINARIES], &[CargoTest(&["--test", "crash"])]),
    // The frameworks are large, and the server of Temporal takes minutes to compile.
    Suite {
        is_only_by_name: true,
        needs: [&[&BINARIES, &SERVER_OF_SDKS], &[&TEMPORAL]],
        ..suite(Clients, "adapters-long", &[], ADAPTERS_LONG)
    },
    // Helm takes minutes to compile.
    Suite {
        is_only_by_name: true,
        ..suite(
            Clients,
            "helm",
            &[&HELM, &KUBERNETES_VALIDATE],
            &[Check(&["python3", "deploy/helm/check.py"])],
        )
    },
    Suite {
        is_only_by_name: true,
        ..suite(
            Last,
            "power",
            &[&BINARIES, &QEMU, &MKE2FS, &GUEST],
            &[CargoTest(&["--test", "power"])],
        )
    },
    // It builds the server alone, whose dependencies then have other features than with the tests: all of them again.
    Suite {
        is_only_by_name: true,
        ..suite(Last, "sbom", &[], &[Check(&["cargo", "xtask", "sbom", "--check"])])
    },
    // It needs a server of an older version, which `HITL_TEST_BEFORE_BIN` names.
    Suite { is_only_by_name: true, ..suite(Last, "mixed", &[&BINARIES], &[CargoTest(MIXED)]) },
];

const ADAPTERS_LONG: &[Step] = &[
    Check(&["adapters/check", "apache-airflow"]),
    Check(&["adapters/check", "prefect"]),
    Check(&["adapters/check", "temporal"]),
];

const MIXED: &[&str] = &["--features", "hitl-tests/mixed", "--test", "crash", "--", "mixed"];

/// The tests beside the code, and those that drive one package alone. Of the programs only this one has any.
const UNIT: &[&str] = &["--lib", "--bin", "xtask", "--test", "contract", "--test", "directory"];

/// The first kind of store with which the end-to-end tests run, all of them.
pub(crate) const FIRST_STORE: &str = "embedded";

/// The end-to-end tests that keep their events in a store of their own choice, or try a door and hardly a store. With
/// the other kinds of store they run only at length: they would prove again what they proved with the first.
pub(crate) const OF_ANY_STORE: &[&str] = &[
    "browser::",
    "buckets::",
    "commands::",
    "foreign::",
    "grpcurl::",
    "origins::",
    "pages_listen::",
    "surface::",
    "tasks::",
    "tls::",
    "tls_reload::",
    "up::",
    "users::",
];

/// What the end-to-end tests need whatever the kind of store.
const END_TO_END: &[&Need] = &[
    &BINARIES,
    &GRPCURL,
    &BUF,
    &GRPC_HEALTH_PROBE,
    &GHZ,
    &RUBY,
    &CHROMIUM_BROWSER,
    &BROWSER_SCRIPTS,
    &S3RVER,
    &FAUXQS,
];

const CLIPPY: &[&str] = &[
    "cargo",
    "clippy",
    "--workspace",
    "--all-targets",
    "--features",
    "hitl-tests/mixed",
    "--",
    "-D",
    "warnings",
];

/// More at a time than there are cores, since most of these wait: for an outage to end, or a dead connection to be
/// noticed.
const CONFORMANCE: &[&str] = &["--test", "conformance", "--", "--test-threads", "6"];

/// The flags go by `--config`, so that what is shown can be repeated by hand.
const DOCS: &[&str] = &[
    "cargo",
    "doc",
    "--workspace",
    "--no-deps",
    "--config",
    "build.rustdocflags=['-D', 'warnings']",
];

/// What has to do with the SDKs, and needs a server that they can start.
const fn sdk(name: &'static str, steps: &'static [Step]) -> Suite {
    suite(Clients, name, &[&BINARIES, &SERVER_OF_SDKS], steps)
}

const fn suite(
    lane: Lane,
    name: &'static str,
    needs: &'static [&'static Need],
    steps: &'static [Step],
) -> Suite {
    Suite { name, needs: [needs, &[]], lane, is_only_by_name: false, steps }
}

const fn end_to_end(
    name: &'static str,
    store: &'static [&'static Need],
    steps: &'static [Step],
) -> Suite {
    Suite { name, needs: [END_TO_END, store], lane: Servers, is_only_by_name: false, steps }
}
