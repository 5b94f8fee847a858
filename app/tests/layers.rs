//! Rules about which module of the app may use which other one.

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn browser_wrappers_use_neither_state_nor_driver_nor_session() {
    for module in ["state", "driver", "components", "routes"] {
        assert_unused("src/browser", module);
    }
    for path in sources("src/browser") {
        let source = fs::read_to_string(&path).expect("the file can be read");
        assert!(!source.contains("session::"), "{}", path.display());
    }
}

#[test]
fn components_reach_the_session_through_intents_only() {
    assert_unused("src/components", "driver");
}

/// Fails if a file of the folder mentions a path in the module.
fn assert_unused(folder: &str, module: &str) {
    for path in sources(folder) {
        let source = fs::read_to_string(&path).expect("the file can be read");
        assert!(
            !uses(&source, module),
            "{} uses crate::{module}",
            path.display()
        );
    }
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).expect("the folder exists") {
            let path = file.expect("the folder can be read").path();
            let list = if path.is_dir() {
                &mut folders
            } else {
                &mut sources
            };
            list.push(path);
        }
    }
    sources
}

/// True for `crate::module` and for `module` at the first level of a
/// `crate::{…}` group, as rustfmt writes it.
fn uses(source: &str, module: &str) -> bool {
    let grouped = source
        .lines()
        .skip_while(|line| *line != "use crate::{")
        .take_while(|line| *line != "};")
        .filter_map(|line| line.strip_prefix("    "))
        .any(|line| line.starts_with(&format!("{module}::")) || *line == *format!("{module},"));
    grouped || source.contains(&format!("crate::{module}"))
}

#[test]
fn grouped_and_single_imports_are_found() {
    assert!(uses("use crate::state::Stage;", "state"));
    assert!(uses(
        "use crate::{\n    browser::api,\n    state::Stage,\n};\n",
        "state"
    ));
    assert!(!uses("use crate::{\n    browser::state,\n};\n", "state"));
}
