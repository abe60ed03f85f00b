//! Build script that recompiles this crate when a migration is added. The macro that embeds the migrations does not
//! detect new files.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
