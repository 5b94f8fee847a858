//! The texts are read by a macro, whose reading cargo does not see.

fn main() {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=Cargo.toml");
}
