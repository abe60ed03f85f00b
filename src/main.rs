//! Entry point of the `keyward` binary.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    keyward::cli::main()
}
