//! Parses the command, runs it, turns the result into an exit code.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    nachtwache::cli::main(nachtwache::cli::Command::parse())
}
