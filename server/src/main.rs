//! The `hitl` binary: the service and its command line.

/// Most of what a call costs beside the network is allocation, and many threads allocate at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hitl_server::cli::main()
}
