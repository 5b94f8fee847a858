//! Addresses of the files with which the app starts.

use std::{env, fs};

use leptos::prelude::LeptosOptions;

/// The addresses, below the origin.
#[derive(Debug, PartialEq, Eq)]
pub struct SiteFiles {
    /// Script of the main module.
    pub script: String,
    /// Main module.
    pub module: String,
    /// Script that loads the parts; none in a build that is not split.
    pub loader: Option<String>,
    /// Modules of the part `ride`; empty in a build that is not split.
    pub ride: Vec<String>,
}

impl SiteFiles {
    /// The files of this site. The release build writes their names into a file
    /// beside the server (tools/build/site.mjs); it is read for each page, as Leptos
    /// does for the style sheet.
    pub fn of(options: &LeptosOptions) -> Self {
        let names = options.hash_files.then(|| {
            let binary = env::current_exe().ok()?;
            fs::read_to_string(binary.with_file_name(&*options.hash_file)).ok()
        });
        Self::named(options, &names.flatten().unwrap_or_default())
    }

    /// The files with these names: one line `kind: value` for each kind.
    fn named(options: &LeptosOptions, names: &str) -> Self {
        let value_of = |kind: &str| {
            let mut lines = names.lines().filter_map(|line| line.split_once(':'));
            lines.find_map(|(name, value)| (name.trim() == kind).then(|| value.trim()))
        };
        let (package, name) = (&options.site_pkg_dir, &options.output_name);
        let file = |stem: &str, kind: &str, extension: &str| match value_of(kind) {
            Some(hash) => format!("/{package}/{stem}.{hash}.{extension}"),
            None => format!("/{package}/{stem}.{extension}"),
        };
        let ride = value_of("part ride").unwrap_or_default();
        Self {
            script: file(name, "js", "js"),
            module: file(name, "wasm", "wasm"),
            loader: value_of("split").map(|_| file("__wasm_split", "split", "js")),
            ride: ride
                .split_whitespace()
                .map(|module| format!("/{package}/{module}"))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> LeptosOptions {
        LeptosOptions::builder().output_name("gruppetto").build()
    }

    #[test]
    fn a_release_names_its_files_with_hashes() {
        let names = "js: abc\nwasm: def\ncss: ghi\nsplit: abc\n\
                     part later: later.1.wasm\npart ride: shared.2.wasm ride.3.wasm\n";
        let files = SiteFiles::named(&options(), names);
        assert_eq!(files.script, "/pkg/gruppetto.abc.js");
        assert_eq!(files.module, "/pkg/gruppetto.def.wasm");
        assert_eq!(files.loader.as_deref(), Some("/pkg/__wasm_split.abc.js"));
        assert_eq!(files.ride, ["/pkg/shared.2.wasm", "/pkg/ride.3.wasm"]);
    }

    #[test]
    fn a_development_build_has_plain_names_and_no_parts() {
        let files = SiteFiles::named(&options(), "");
        assert_eq!(files.script, "/pkg/gruppetto.js");
        assert_eq!(files.module, "/pkg/gruppetto.wasm");
        assert_eq!(files.loader, None);
        assert!(files.ride.is_empty());
    }
}
