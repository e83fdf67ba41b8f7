//! The `hitl` binary: the service and its command line.

fn main() -> std::process::ExitCode {
    hitl_server::cli::main()
}
