//! Check that the workspace's packages depend on each other in one direction only, as
//! `docs/ARCHITECTURE.md` shows.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

/// Each package, with the packages of the workspace that it may use outside of its tests.
const RULES: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("protocol", &[]),
    ("ride", &["clock", "protocol"]),
    ("rooms", &["clock", "protocol"]),
    ("mesh", &["clock", "protocol"]),
    ("session", &["clock", "mesh", "protocol", "ride"]),
    ("app", &["clock", "mesh", "protocol", "ride", "session"]),
    ("tunnel", &["clock", "protocol"]),
    // The server cannot read a ride: neither `ride` nor `session`.
    ("server", &["clock", "protocol", "rooms", "tunnel"]),
    (
        "peer",
        &["clock", "mesh", "protocol", "ride", "session", "tunnel"],
    ),
    ("shell", &["clock", "tunnel"]),
    ("gruppetto", &["app", "peer", "server"]),
    ("bench", &["clock", "protocol", "ride", "session"]),
];

/// Libraries without IO: they must not use crates that read clocks, sockets or the browser.
const WITHOUT_IO: &[&str] = &[
    "clock", "protocol", "ride", "rooms", "mesh", "session", "tunnel",
];
const IO_CRATES: &[&str] = &[
    "axum",
    "getrandom",
    "gloo-timers",
    "js-sys",
    "leptos",
    "rand",
    "tokio",
    "wasm-bindgen",
    "web-sys",
    "web-time",
];

#[test]
fn packages_use_only_the_packages_that_the_design_allows() {
    let packages = workspace_packages();
    let names: BTreeSet<&str> = packages.iter().map(name).collect();
    let known: BTreeSet<&str> = RULES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "each package of the workspace has a rule");
    for package in &packages {
        let rule = RULES.iter().find(|(rule, _)| *rule == name(package));
        let (_, allowed) = rule.unwrap();
        for used in dependencies(package).filter(|used| names.contains(used)) {
            let package = name(package);
            assert!(allowed.contains(&used), "{package} may not use {used}");
        }
    }
}

#[test]
fn libraries_without_io_use_no_crate_with_io() {
    for package in &workspace_packages() {
        if !WITHOUT_IO.contains(&name(package)) {
            continue;
        }
        for used in dependencies(package) {
            let package = name(package);
            assert!(!IO_CRATES.contains(&used), "{package} may not use {used}");
        }
    }
}

/// Packages of the workspace, from `cargo metadata`.
fn workspace_packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// Names of the dependencies of a package, without those of its tests.
fn dependencies(package: &Value) -> impl Iterator<Item = &str> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(|dependency| dependency["kind"] != "dev")
        .map(name)
}
