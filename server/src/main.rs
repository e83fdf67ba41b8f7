//! The `hitl` binary: the service and its command line.

/// Beside the network, allocation is most of what a call costs, and many threads allocate at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // All files are for this user alone: they hold what people are asked, what they answer, and the key of the links.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    hitl_server::cli::main(hitl_server::app::store_options())
}
