// The shell page of tunnels: shell/ has its WebAssembly module and its scripts. It is served from
// target/site/tunnel, on an origin of its own, and shares nothing with the app.

import * as esbuild from "esbuild";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { hash, readIfThere } from "./files.mjs";
import { wasmOpt } from "./front_end.mjs";
import { cargo, run, say, timed } from "./run.mjs";
import { browsers } from "./style.mjs";

const folder = "tunnel";

/** All files of the shell page: a map from the path in the site folder to the content. */
export async function buildShell(project) {
  const bound = buildModule(project);
  const injected = await bundle(path.join(project.root, "shell/scripts/injected/main.js"), { format: "iife" });
  const files = await shellFiles(path.join(project.root, "shell", "scripts"), { ...bound, injected });
  const icon = fs.readFileSync(path.join(project.root, project.leptos["assets-dir"], "icon.svg"));
  return files.set(path.join(folder, "icon.svg"), icon);
}

/** The WebAssembly module and the folder with the script that wasm-bindgen wrote for it. */
function buildModule(project) {
  const profile = project.leptos["lib-profile-release"] ?? "release";
  cargo("the shell page's module", ["build", "--package=shell", "--target=wasm32-unknown-unknown", `--profile=${profile}`]);
  const input = path.join(project.cargoTarget, "wasm32-unknown-unknown", profile, "shell.wasm");
  const work = path.join(project.root, "target", "shell-work");
  const keyFile = path.join(work, "key");
  const key = [input, "package-lock.json", "Cargo.lock", fileURLToPath(import.meta.url)]
    .map((file) => hash(fs.readFileSync(file))).join("");
  const wasm = path.join(work, "shell_wasm_bg.wasm");
  if (readIfThere(keyFile) === key) {
    say("the shell page's wasm-bindgen and wasm-opt: nothing changed");
  } else {
    fs.rmSync(work, { recursive: true, force: true });
    timed("wasm-bindgen", () => run("wasm-bindgen", [
      input, "--target", "web", "--no-typescript", "--no-demangle", "--omit-default-module-path",
      "--out-name", "shell_wasm", "--out-dir", work,
    ]));
    timed("wasm-opt", () => wasmOpt(["-Os", "--strip-producers", "--strip-target-features"], wasm, wasm));
    fs.writeFileSync(keyFile, key);
  }
  return { wasm: fs.readFileSync(wasm), glue: path.join(work, "shell_wasm.js") };
}

/**
 * The files by their paths. The page and the service worker have fixed names; the others are named
 * after their content.
 *
 * @param {string} scripts folder of the scripts
 * @param {{ wasm: Buffer, glue: string, injected: string }} parts `injected` runs in each page of
 *   the site
 */
export async function shellFiles(scripts, { wasm, glue, injected }) {
  if (/<\/script|<!--/i.test(injected)) throw new Error("The injected script would end its own element.");
  const files = new Map();
  const add = (stem, extension, content) => {
    const name = `${stem}.${hash(content)}.${extension}`;
    files.set(path.join(folder, name), Buffer.from(content));
    return `/.gruppetto/${name}`;
  };
  const wasmPath = add("shell", "wasm", wasm);
  const plugins = [madeModules({ glue, injected })];
  const script = add("shell", "js", await bundle(path.join(scripts, "shell.js"), {
    plugins, format: "esm", define: { "globalThis.__WASM_PATH__": JSON.stringify(wasmPath) },
  }));
  const style = add("shell", "css", await bundle(path.join(scripts, "shell.css"), {}));
  const worker = await bundle(path.join(scripts, "worker", "main.js"), { plugins, format: "iife" });
  files.set(path.join(folder, "service-worker.js"), Buffer.from(worker));
  const page = fs.readFileSync(path.join(scripts, "shell.html"), "utf8");
  const named = [["/.gruppetto/shell.js", script], ["/.gruppetto/shell.css", style]]
    .reduce((text, [from, to]) => text.replaceAll(from, to), page).replace(/>\s+</g, "><");
  files.set(path.join(folder, "shell.html"), Buffer.from(named));
  return files;
}

/** A script or a style sheet with its imports, minified. */
async function bundle(entry, options) {
  const result = await esbuild.build({
    entryPoints: [entry], bundle: true, minify: true, write: false, target: browsers, logLevel: "warning", ...options,
  });
  return result.outputFiles[0].text.trim();
}

/** Modules that the scripts import and the build makes. */
function madeModules({ glue, injected }) {
  const scriptHash = `'sha256-${createHash("sha256").update(injected).digest("base64")}'`;
  return {
    name: "made-modules",
    setup(build) {
      build.onResolve({ filter: /\/shell_wasm\.js$/ }, () => ({ path: glue }));
      build.onResolve({ filter: /\/injected\.js$/ }, ({ path: name }) => ({ path: name, namespace: "injected" }));
      build.onLoad({ filter: /.*/, namespace: "injected" }, () => ({
        contents: `export const script = ${JSON.stringify(injected)}; export const scriptHash = ${JSON.stringify(scriptHash)};`,
      }));
    },
  };
}
