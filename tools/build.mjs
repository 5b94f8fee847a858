// Builds the release: the site (wasm, JavaScript, CSS, public files) and the
// server, from the values of [package.metadata.leptos] in Cargo.toml, with the
// same results as `cargo leptos build --release` has:
//
//   target/site/...                what the server sends, with .br and .gz beside
//   target/release/gruppetto       the server
//   target/release/hash.txt        the hashes in the names of js, wasm and css,
//                                  which Leptos reads beside the server
//
// Those are under the checkout, wherever CARGO_TARGET_DIR has cargo build.
// What did not change is not done again; each step says in a line what it did.
//
//   node tools/build.mjs           both
//   node tools/build.mjs site      the site alone
//   node tools/build.mjs server    the server alone

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import * as esbuild from "esbuild";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const tools = path.join(root, "node_modules", ".bin");
process.chdir(root);
// Where tools/setup.sh puts wasm-bindgen.
const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
process.env.PATH = [path.join(cache, "gruppetto", "tools", "bin"), process.env.PATH].join(path.delimiter);
// The browsers that CSS and JavaScript are written down for: those that can
// hydrate the page at all.
const browsers = ["chrome111", "firefox114", "safari16.4"];
const compressible = /\.(css|html|ico|js|json|mjs|svg|txt|wasm|webmanifest|xml)$/;

// `url(/icon.svg)` is the site's own and stays as it is.
const sitePaths = {
  name: "site-paths",
  setup(build) {
    build.onResolve({ filter: /^\// }, ({ kind, path }) => kind === "url-token" ? { path, external: true } : undefined);
  },
};

try {
  await main(process.argv[2] ?? "all");
} catch (error) {
  console.error(`build: ${error.message}`);
  process.exit(1);
}

async function main(what) {
  const project = readProject();
  if (what !== "server") await buildSite(project);
  if (what !== "site") buildServer(project);
}

/** What cargo says about this package, with the paths that follow from it. */
function readProject() {
  const metadata = JSON.parse(capture("cargo", ["metadata", "--no-deps", "--format-version", "1"]));
  const cargoPackage = metadata.packages.find((it) => it.manifest_path === path.join(root, "Cargo.toml"));
  const leptos = cargoPackage?.metadata?.leptos;
  if (!leptos) throw new Error("Cargo.toml has no [package.metadata.leptos].");
  return {
    leptos,
    name: leptos["output-name"],
    library: cargoPackage.targets.find((it) => it.kind.includes("cdylib")).name,
    cargoTarget: metadata.target_directory,
    site: path.join(root, leptos["site-root"]),
    pkg: path.join(root, leptos["site-root"], leptos["site-pkg-dir"]),
    work: path.join(root, "target", "site-work"),
    release: path.join(root, "target", "release"),
  };
}

async function buildSite(project) {
  const { js, wasm } = await buildFrontEnd(project);
  const css = await buildStyle(project);
  const hashes = { js: "", wasm: hash(wasm), css: hash(css) };
  // The script names the wasm file as a default, so its own hash comes after.
  const script = js.replaceAll(`${project.name}_bg.wasm`, `${project.name}.${hashes.wasm}.wasm`);
  hashes.js = hash(script);

  const files = new Map();
  const inPkg = (file) => path.join(project.leptos["site-pkg-dir"], file);
  files.set(inPkg(`${project.name}.${hashes.js}.js`), Buffer.from(script));
  files.set(inPkg(`${project.name}.${hashes.wasm}.wasm`), wasm);
  files.set(inPkg(`${project.name}.${hashes.css}.css`), Buffer.from(css));
  addFolder(files, path.join(project.work, "snippets"), inPkg("snippets"));
  addFolder(files, path.join(root, project.leptos["assets-dir"]), "");
  writeSite(project, files);

  const lines = Object.entries(hashes).map(([kind, value]) => `${kind}: ${value}\n`);
  fs.mkdirSync(project.release, { recursive: true });
  writeIfChanged(path.join(project.release, "hash.txt"), Buffer.from(lines.join("")));
}

/** The wasm library, bound to JavaScript and optimised. */
async function buildFrontEnd(project) {
  const { leptos, name, work } = project;
  const profile = leptos["lib-profile-release"] ?? "release";
  cargo("the browser's half", [
    "--package=gruppetto", "--lib", "--target=wasm32-unknown-unknown", `--profile=${profile}`,
    ...features(leptos, "lib"),
  ]);
  const input = path.join(project.cargoTarget, "wasm32-unknown-unknown", profile, `${project.library}.wasm`);
  const jsFile = path.join(work, `${name}.js`);
  const wasmFile = path.join(work, `${name}_bg.wasm`);
  const keyFile = path.join(work, "key");
  const key = hash(fs.readFileSync(input)) + hash(fs.readFileSync("package-lock.json"))
    + hash(fs.readFileSync(fileURLToPath(import.meta.url)));

  if (readIfThere(keyFile) !== key) {
    fs.rmSync(work, { recursive: true, force: true });
    timed("wasm-bindgen", () => run("wasm-bindgen", [
      input, "--target", "web", "--no-typescript", "--out-name", name, "--out-dir", work,
    ]));
    timed("wasm-opt", () => optimise(wasmFile));
    const minified = await esbuild.transform(fs.readFileSync(jsFile, "utf8"), {
      format: "esm", minify: true, target: browsers,
    });
    fs.writeFileSync(jsFile, minified.code);
    fs.writeFileSync(keyFile, key);
  } else {
    say("wasm-bindgen and wasm-opt: nothing changed");
  }
  return { js: fs.readFileSync(jsFile, "utf8"), wasm: fs.readFileSync(wasmFile) };
}

function optimise(wasmFile) {
  const before = fs.statSync(wasmFile).size;
  run(path.join(tools, "wasm-opt"), [
    "-Oz", "--enable-bulk-memory", "--enable-bulk-memory-opt", "--enable-call-indirect-overlong",
    "--enable-multivalue", "--enable-mutable-globals", "--enable-nontrapping-float-to-int",
    "--enable-reference-types", "--enable-sign-ext", wasmFile, "-o", `${wasmFile}.opt`,
  ]);
  fs.renameSync(`${wasmFile}.opt`, wasmFile);
  return `${kilobytes(before)} to ${kilobytes(fs.statSync(wasmFile).size)}`;
}

/** The style sheet with its imports, minified. */
async function buildStyle(project) {
  const result = await esbuild.build({
    entryPoints: [project.leptos["style-file"]],
    bundle: true, minify: true, write: false, target: browsers, plugins: [sitePaths], logLevel: "warning",
  });
  return result.outputFiles[0].text;
}

/** Makes the site folder hold these files and no others. */
function writeSite(project, files) {
  let written = 0;
  const wanted = new Set();
  for (const [name, content] of files) {
    const target = path.join(project.site, name);
    const changed = writeIfChanged(target, content);
    written += changed ? 1 : 0;
    wanted.add(target);
    if (!compressible.test(name) || content.length < 1024) continue;
    for (const [suffix, compress] of [[".br", brotli], [".gz", gzip]]) {
      wanted.add(target + suffix);
      if (changed || !fs.existsSync(target + suffix)) fs.writeFileSync(target + suffix, compress(content));
    }
  }
  const removed = listFiles(project.site).filter((file) => !wanted.has(file));
  removed.forEach((file) => fs.rmSync(file));
  const wasm = [...wanted].find((file) => file.endsWith(".wasm.br"));
  say(`site: ${files.size} files, ${written} written, ${removed.length} removed; `
    + `wasm ${kilobytes(fs.statSync(wasm).size)} compressed`);
}

function buildServer(project) {
  const binary = project.leptos["bin-target"];
  cargo("the server", ["--package=gruppetto", "--release", `--bin=${binary}`, ...features(project.leptos, "bin")]);
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

function features(leptos, half) {
  const list = [`--features=${leptos[`${half}-features`].join(",")}`];
  return leptos[`${half}-default-features`] === false ? ["--no-default-features", ...list] : list;
}

function cargo(what, flags) {
  timed(what, () => run("cargo", ["build", ...flags]));
}

function timed(what, work) {
  const start = Date.now();
  const result = work();
  say(`${what}: ${((Date.now() - start) / 1000).toFixed(1)} s${result ? `, ${result}` : ""}`);
}

function run(command, parameters) {
  const { status, error } = spawnSync(command, parameters, { stdio: "inherit" });
  if (error) throw new Error(`${command} does not start (${error.code}): run tools/setup.sh build.`);
  if (status !== 0) throw new Error(`${path.basename(command)} failed.`);
}

function capture(command, parameters) {
  const { status, error, stdout } = spawnSync(command, parameters, {
    stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: 1 << 28,
  });
  if (error) throw new Error(`${command} does not start (${error.code}): run tools/setup.sh build.`);
  if (status !== 0) throw new Error(`${command} ${parameters[0]} failed.`);
  return stdout;
}

function addFolder(files, folder, under) {
  for (const file of listFiles(folder)) {
    files.set(path.join(under, path.relative(folder, file)), fs.readFileSync(file));
  }
}

function listFiles(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function writeIfChanged(file, content) {
  if (fs.existsSync(file) && fs.readFileSync(file).equals(content)) return false;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return true;
}

function readIfThere(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null;
}

function hash(content) {
  return createHash("sha256").update(content).digest("base64url").slice(0, 20);
}

function brotli(content) {
  return zlib.brotliCompressSync(content, { params: { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length } });
}

function gzip(content) {
  return zlib.gzipSync(content, { level: 9 });
}

function kilobytes(bytes) {
  return `${Math.round(bytes / 1024)} KB`;
}

function say(line) {
  console.log(`build: ${line}`);
}
