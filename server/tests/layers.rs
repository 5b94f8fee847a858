//! Check that the modules of the server form layers without cycles.
//!
//! The check scans the source text of `server/src` for `crate::…` and `super::…`
//! paths. Each top-level module belongs to one entry of [`LAYERS`] and may use
//! modules of lower layers only, not even those of its own layer. `lib.rs` wires
//! all modules and is exempt.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Top-level modules, from the lowest layer to the highest.
const LAYERS: &[&[&str]] = &[
    &[
        "labeled_enum",
        "private_file",
        "session_codes",
        "shutdown",
        "sync",
        "tls",
        "turn",
        "wall_clock",
    ],
    &["error"],
    &["config"],
    &["descriptors", "limits", "logging", "metrics", "tokens"],
    &["journal"],
    &["check", "hub", "intervals_icu"],
    &["tunnels"],
    &["state"],
    &["sockets"],
    &["http"],
    &["middleware"],
    &["router"],
    &["serve"],
];

#[test]
fn modules_use_only_modules_of_lower_layers() {
    let layers = layers();
    let mut violations = Vec::new();
    for file in source_files() {
        let path = module_path(&file);
        let Some(module) = path.first() else {
            continue;
        };
        let Some(layer) = layers.get(module.as_str()) else {
            panic!("add the module `{module}` to LAYERS");
        };
        let text = fs::read_to_string(&file).expect("a source file");
        for used in used_modules(&text, &path) {
            match layers.get(used.as_str()) {
                _ if used == *module => {}
                Some(used_layer) if used_layer < layer => {}
                Some(_) => violations.push(format!("{} uses {used}", file.display())),
                None => violations.push(format!("{}: unknown module {used}", file.display())),
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn used_modules_are_found_in_all_forms_of_paths() {
    let text = "
        use crate::error::ApiError;
        use crate::{config::Config, limits::{Limits, Verdict}, sync};
        use super::super::state::AppState;
        // crate::in_a_comment
        fn status(hub: &crate::hub::Hub) {}
    ";
    let path = ["http", "rides"].map(str::to_owned);
    let expected = ["error", "config", "limits", "sync", "hub", "state"];
    assert_eq!(used_modules(text, &path), expected);
    // A module's own items are not reported as another module.
    let own = used_modules("use super::qr;", &path);
    assert_eq!(own, ["http"]);
}

fn layers() -> BTreeMap<&'static str, usize> {
    let numbered = LAYERS.iter().enumerate();
    numbered
        .flat_map(|(number, modules)| modules.iter().map(move |module| (*module, number)))
        .collect()
}

fn source_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn source_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![source_root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Path of the module in a file, without `crate`; empty for `lib.rs`.
fn module_path(file: &Path) -> Vec<String> {
    let relative = file.strip_prefix(source_root()).expect("below src");
    let relative = relative.with_extension("");
    let path: Vec<_> = relative
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    match path.as_slice() {
        [lib] if lib == "lib" => Vec::new(),
        _ => path,
    }
}

/// Top-level modules that the text of the module `path` names, in the order of
/// `crate::` paths, then `super::` paths.
fn used_modules(text: &str, path: &[String]) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut used: Vec<_> = code
        .match_indices("crate::")
        .filter(|(index, _)| !is_name_before(&code, *index))
        .flat_map(|(index, prefix)| first_segments(&code[index + prefix.len()..]))
        .collect();
    used.extend(
        code.match_indices("super::")
            .filter(|(index, _)| !is_name_before(&code, *index) && !code[..*index].ends_with("::"))
            .flat_map(|(index, _)| resolve_super(&code[index..], path)),
    );
    used
}

/// Returns `true` if the match at `index` is the end of a longer name.
fn is_name_before(code: &str, index: usize) -> bool {
    code[..index].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
}

/// First segments of the paths at the start of `rest`: one, or several in braces.
fn first_segments(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let mut depth = 0;
    let mut segments = Vec::new();
    let mut expects_segment = true;
    for (index, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_segment = true,
            _ if expects_segment && !letter.is_whitespace() => {
                segments.push(name(&group[index..]));
                expects_segment = false;
            }
            _ => {}
        }
    }
    segments
}

fn name(text: &str) -> String {
    let is_part = |letter: &char| letter.is_alphanumeric() || *letter == '_';
    text.chars().take_while(is_part).collect()
}

/// Top-level modules that a path of `super::` leads to.
///
/// The depth of inline modules is not tracked: in an inline module of a top-level
/// file, `super::name` may be an item of that file, so only names of modules count.
fn resolve_super(code: &str, path: &[String]) -> Vec<String> {
    let mut rest = code;
    let mut levels = 0;
    while let Some(after) = rest.strip_prefix("super::") {
        rest = after;
        levels += 1;
    }
    match path.len().checked_sub(levels) {
        Some(0) => first_segments(rest)
            .into_iter()
            .filter(|segment| layers().contains_key(segment.as_str()))
            .collect(),
        Some(_) => vec![path[0].clone()],
        None => Vec::new(),
    }
}
