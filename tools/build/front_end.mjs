// The browser's half: one wasm library, compiled, split into parts, bound to
// JavaScript and optimised.
//
// The split points are functions with the attribute `wasm_split` (src/parts.rs).
// Everything that only such a function reaches becomes a module of its own; what
// several of them reach, and the main module does not, becomes a module for each
// combination. The loader script (`__wasm_split`) fetches a part together with
// the shared modules that it needs.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { brotli } from "./compress.mjs";
import { hash, listFiles, readIfThere } from "./files.mjs";
import { patchedCrates } from "./patched.mjs";
import { cargo, features, run, runQuietly, say, timed } from "./run.mjs";
import { minify } from "./style.mjs";

const loaderFile = "__wasm_split.js";

/**
 * The files of the browser's half before they are named.
 *
 * - `script`, `wasm`: the main module, as text and bytes
 * - `loader`: the script that fetches parts, as text
 * - `modules`: a map from the name of each other module (in the loader, without
 *   `.wasm`) to its bytes
 * - `parts`: a map from the name of each part to the names of the modules that it
 *   consists of
 */
export async function buildFrontEnd(project) {
  const { leptos, name, work } = project;
  const profile = leptos["lib-profile-release"] ?? "release";
  cargo("the browser's half", [
    "rustc", "--package=gruppetto", "--lib", "--target=wasm32-unknown-unknown", `--profile=${profile}`,
    ...features(leptos, "lib", ["split"]), ...patchedCrates(project),
    // Relocations tell the splitter which function and which data refer to which.
    "--", "-Clink-args=--emit-relocs",
  ]);
  const input = path.join(project.cargoTarget, "wasm32-unknown-unknown", profile, `${project.library}.wasm`);
  const keyFile = path.join(work, "key");
  const scripts = listFiles(path.dirname(fileURLToPath(import.meta.url))).filter((file) => !file.endsWith(".test.mjs"));
  const key = [input, "package-lock.json", "Cargo.lock", ...scripts]
    .map((file) => hash(fs.readFileSync(file))).join("");

  if (readIfThere(keyFile) !== key) {
    await splitAndBind(input, name, work);
    fs.writeFileSync(keyFile, key);
  } else {
    say("split, wasm-bindgen and wasm-opt: nothing changed");
  }

  const read = (file) => fs.readFileSync(path.join(work, file));
  const main = `${name}_bg.wasm`;
  const modules = wasmFiles(work).filter((file) => file !== main);
  return {
    script: read(`${name}.js`).toString(),
    loader: read(loaderFile).toString(),
    wasm: read(main),
    modules: new Map(modules.map((file) => [path.basename(file, ".wasm"), read(file)])),
    parts: new Map(Object.entries(JSON.parse(read("parts.json")))),
    snippets: path.join(work, "snippets"),
  };
}

async function splitAndBind(input, name, work) {
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true });
  timed("wasm-split", () => run("wasm-split-cli", [input, work, "--target", "web", "--out-name", name]));
  const unbound = path.join(work, `${name}.wasm`);
  timed("wasm-bindgen", () => run("wasm-bindgen", [
    unbound, "--target", "web", "--no-typescript", "--keep-lld-exports", "--no-demangle",
    "--out-name", name, "--out-dir", work,
  ]));
  fs.rmSync(unbound);
  timed("wasm-opt", () => optimise(work));

  const loader = path.join(work, loaderFile);
  const parts = readParts(fs.readFileSync(loader, "utf8"));
  fs.writeFileSync(path.join(work, "parts.json"), JSON.stringify(Object.fromEntries(parts)));
  fs.writeFileSync(loader, takeBegunModules(fs.readFileSync(loader, "utf8")));
  for (const file of [path.join(work, `${name}.js`), loader]) {
    fs.writeFileSync(file, await minify(fs.readFileSync(file, "utf8")));
  }
}

// Further passes over a module that -O2 has optimised. Which one makes a module
// smaller after compression differs from module to module, by up to 1 %.
const furtherPasses = [["-O3"], ["-Os", "--always-inline-max-function-size=4"]];
// Size above which further passes are not tried: the module `later` is not part of
// the first load, and takes them a minute.
const largestTried = 1_500_000;

function optimise(work) {
  let [before, after] = [0, 0];
  for (const name of wasmFiles(work)) {
    const file = path.join(work, name);
    before += fs.statSync(file).size;
    // -O2 is larger than -Oz before compression, and 1 % smaller after it.
    wasmOpt(["-O2", "--strip-producers", "--strip-target-features"], file, file);
    if (fs.statSync(file).size <= largestTried) keepSmallest(file);
    after += fs.statSync(file).size;
  }
  return `${Math.round(before / 1000)} to ${Math.round(after / 1000)} KB`;
}

/** Replaces a module by what is smallest after compression: itself, or the result of further passes. */
function keepSmallest(file) {
  let smallest = brotli(fs.readFileSync(file)).length;
  const results = furtherPasses.map((passes, index) => {
    const result = `${file}.${index}`;
    wasmOpt(passes, file, result);
    return result;
  });
  for (const result of results) {
    const size = brotli(fs.readFileSync(result)).length;
    if (size < smallest) {
      smallest = size;
      fs.renameSync(result, file);
    } else {
      fs.rmSync(result);
    }
  }
}

export function wasmOpt(passes, input, output) {
  // Its warnings are about names of the splitter, which are stripped.
  runQuietly(path.join("node_modules", ".bin", "wasm-opt"), [
    ...passes, "--enable-bulk-memory", "--enable-bulk-memory-opt", "--enable-call-indirect-overlong",
    "--enable-multivalue", "--enable-mutable-globals", "--enable-nontrapping-float-to-int",
    "--enable-reference-types", "--enable-sign-ext", input, "-o", `${output}.opt`,
  ]);
  fs.renameSync(`${output}.opt`, output);
}

/** Which modules each part consists of, as the loader has it. */
export function readParts(loader) {
  const chunks = new Map(
    [...loader.matchAll(/const (__chunk_\d+) = makeLoad\(\(\) => \{\s+const src = fetch\(new URL\("\.\/(\w+)\.wasm"/g)]
      .map(([, variable, module]) => [variable, module]),
  );
  const loads = [...loader.matchAll(/export const __wasm_split_load_(\w+) = wrapAsyncCb\(makeLoad\(([^]*?), \[(.*?)\]\)\);/g)];
  const parts = new Map(loads.map(([, part, fetcher, needs]) => {
    const shared = needs.split(", ").filter(Boolean).map((variable) => chunks.get(variable));
    const own = /"\.\/(\w+)\.wasm"/.exec(fetcher)?.[1];
    return [part, own ? [...shared, own] : shared];
  }));
  const named = [...parts.values()].flat();
  if (parts.size === 0 || named.includes(undefined)) throw new Error(`${loaderFile} is not what wasm-split-cli used to write.`);
  return parts;
}

/**
 * The loader, changed so that it takes a module that the page's script has begun
 * to compile (app/src/document/start.js), and fetches one that it has not.
 */
export function takeBegunModules(loader) {
  const fetched = /const src = fetch\((new URL\("[^"]+", import\.meta\.url\))\);(\s+src\.catch\(\(\) => \{\}\);\s+return async \(imports\) => )\(WebAssembly\.instantiateStreaming\(src, imports\)\);/g;
  const changed = loader.replace(fetched, (_, url, rest) =>
    `const url = ${url};\n    const src = window.takeBegunModule?.(url.href) ?? WebAssembly.compileStreaming(fetch(url));${rest}WebAssembly.instantiate(await src, imports);`);
  if (changed === loader) throw new Error(`${loaderFile} is not what wasm-split-cli used to write.`);
  return changed;
}

function wasmFiles(folder) {
  return fs.readdirSync(folder).filter((file) => file.endsWith(".wasm")).sort();
}
