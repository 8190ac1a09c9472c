//! The command line program: parse arguments, run, exit.

fn main() -> std::process::ExitCode {
    halo_extract::cli::main().into()
}
