//! Rebuilds the crate when a text changes. The texts are read by a macro, which
//! cargo does not track.

fn main() {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=Cargo.toml");
}
