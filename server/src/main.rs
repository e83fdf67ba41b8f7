//! The `hitl` binary: the service and its command line.

/// Most of what a call costs beside the network is allocation, and many threads allocate at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // Whatever is written is for this user alone: what people are asked, what they answer, and the key of the links.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    hitl_server::cli::main()
}
