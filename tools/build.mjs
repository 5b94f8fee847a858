// Builds the release: the site (wasm, JavaScript, CSS, public files) and the
// server, from the values of [package.metadata] in Cargo.toml:
//
//   target/site/...                what the server sends, with .br and .gz beside
//   target/release/gruppetto       the server
//   target/release/hash.txt        the names of the files that a page starts with,
//                                  which the app reads beside the server
//
// Those are under the checkout, wherever CARGO_TARGET_DIR has cargo build.
// What did not change is not done again; each step says in a line what it did.
// The build fails when a part of the site is larger than its budget.
//
//   node tools/build.mjs           both
//   node tools/build.mjs site      the site alone
//   node tools/build.mjs shell     of the site, the shell page of tunnels alone
//   node tools/build.mjs server    the server alone

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { checkBudgets } from "./build/budgets.mjs";
import { buildFrontEnd } from "./build/front_end.mjs";
import { capture, cargo, features } from "./build/run.mjs";
import { buildShell } from "./build/shell.mjs";
import { nameFiles, writeSite, writeSiteFolder } from "./build/site.mjs";
import { buildStyle } from "./build/style.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
// Where tools/setup.sh puts wasm-bindgen and wasm-split-cli.
const cache = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "gruppetto");
process.env.PATH = [path.join(cache, "tools", "bin"), process.env.PATH].join(path.delimiter);

try {
  await main(process.argv[2] ?? "all");
} catch (error) {
  console.error(`build: ${error.message}`);
  process.exit(1);
}

async function main(what) {
  const project = readProject();
  if (what === "shell") return buildShellAlone(project);
  if (what !== "server") await buildSite(project);
  if (what !== "site") buildServer(project);
}

/** The metadata that cargo has of this package, with the paths that follow from it. */
function readProject() {
  const metadata = JSON.parse(capture("cargo", ["metadata", "--no-deps", "--format-version", "1"]));
  const cargoPackage = metadata.packages.find((it) => it.manifest_path === path.join(root, "Cargo.toml"));
  const { leptos, site } = cargoPackage?.metadata ?? {};
  if (!leptos || !site) throw new Error("Cargo.toml has no [package.metadata.leptos] or no [package.metadata.site].");
  return {
    root,
    cache,
    leptos,
    budgets: site.budgets,
    name: leptos["output-name"],
    library: cargoPackage.targets.find((it) => it.kind.includes("cdylib")).name,
    cargoTarget: metadata.target_directory,
    site: path.join(root, leptos["site-root"]),
    pkg: leptos["site-pkg-dir"],
    work: path.join(root, "target", "site-work"),
    release: path.join(root, "target", "release"),
  };
}

async function buildSite(project) {
  const frontEnd = await buildFrontEnd(project);
  const css = await buildStyle(project);
  const shell = await buildShell(project);
  const named = nameFiles(project, frontEnd, css);
  for (const [file, content] of shell) named.files.set(file, content);
  writeSite(project, named);
  const parts = [["home", named.firstPage], ...[...named.parts].sort(), ["tunnel", [...shell.keys()]]];
  checkBudgets(project, named.files, parts, { isWhole: true });
}

async function buildShellAlone(project) {
  const shell = await buildShell(project);
  writeSiteFolder(project, "tunnel", shell);
  checkBudgets(project, shell, [["tunnel", [...shell.keys()]]], { isWhole: false });
}

function buildServer(project) {
  const binary = project.leptos["bin-target"];
  cargo("the server", ["build", "--package=gruppetto", "--release", `--bin=${binary}`, ...features(project.leptos, "bin")]);
  const built = path.join(project.cargoTarget, "release", binary);
  const wanted = path.join(project.release, binary);
  if (built === wanted) return;
  // Removed first: a running server keeps its own file.
  const content = fs.readFileSync(built);
  if (fs.existsSync(wanted) && fs.readFileSync(wanted).equals(content)) return;
  fs.mkdirSync(project.release, { recursive: true });
  fs.rmSync(wanted, { force: true });
  fs.writeFileSync(wanted, content, { mode: 0o755 });
}
