// Third-party crates that the browser's half is built with in a changed form.
//
// patches/NAME-VERSION.patch is applied to a copy of the crate's source, and
// cargo is told to use the copy by its setting `paths`. That setting changes no
// Cargo.lock, and only the release build of the browser's half has it: every
// other build (the server, the tests, an editor's checks) takes the crate as the
// registry has it. patches/README.md says why each patch is there.

import fs from "node:fs";
import path from "node:path";
import { hash } from "./files.mjs";
import { capture, run, say } from "./run.mjs";

/** The flags for cargo that make it use the patched crates. */
export function patchedCrates({ root, cache, leptos }) {
  const folder = path.join(root, "patches");
  const patches = fs.readdirSync(folder).filter((file) => file.endsWith(".patch")).sort();
  if (patches.length === 0) return [];
  const packages = registryPackages(leptos);
  const copies = patches.map((file) => patchedCopy(path.join(folder, file), packages, cache));
  return ["--config", `paths=${JSON.stringify(copies)}`];
}

/** All crates of the browser's half, downloaded if they are not there yet. */
function registryPackages(leptos) {
  const { packages } = JSON.parse(capture("cargo", [
    "metadata", "--locked", "--format-version", "1", "--filter-platform", "wasm32-unknown-unknown",
    "--no-default-features", "--features", leptos["lib-features"].join(","),
  ]));
  return new Map(packages.map((it) => [`${it.name}-${it.version}`, path.dirname(it.manifest_path)]));
}

/** The folder with the patched source. Its name has the patch's hash, so it never changes. */
function patchedCopy(patch, packages, cache) {
  const crate = path.basename(patch, ".patch");
  const source = packages.get(crate);
  if (!source) throw new Error(`patches/${crate}.patch is for a version that Cargo.lock does not have.`);
  const folder = path.join(cache, "patched", `${crate}-${hash(fs.readFileSync(patch))}`);
  if (fs.existsSync(folder)) return folder;

  const unfinished = `${folder}.${process.pid}`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  fs.cpSync(source, unfinished, { recursive: true });
  // The folder is no repository, even where one contains it.
  run("git", ["apply", patch], { cwd: unfinished, env: { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(unfinished) } });
  fs.renameSync(unfinished, folder);
  say(`patched ${crate}`);
  return folder;
}
