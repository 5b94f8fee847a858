// The site folder: files named after their content, compressed copies beside
// them, and the files of earlier builds for as long as a page may ask for them.

import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { brotli } from "./compress.mjs";
import { hash, listFiles, readIfThere, writeIfChanged } from "./files.mjs";
import { say } from "./run.mjs";

const compressible = /\.(css|html|ico|js|json|mjs|svg|txt|wasm|webmanifest|xml)$/;
const loaderImport = /from"\.\/__wasm_split\.js"/g;
// An open page fetches the parts of the build that it came from, so the files of
// earlier builds are kept for this time, and for this number of builds.
const keptFor = 30 * 24 * 60 * 60 * 1000;
const keptBuilds = 10;

/**
 * Names every file of the site after its content.
 *
 * - `files`: a map from the path in the site folder to the content
 * - `hashes`: the hashes for hash.txt
 * - `firstPage`: the paths of what every page fetches
 * - `parts`: a map from the name of each part to the paths of its modules
 */
export function nameFiles(project, frontEnd, css) {
  const { name, pkg, leptos } = project;
  const files = new Map();
  const add = (stem, digest, extension, content) => {
    const file = path.join(pkg, `${stem}.${digest}.${extension}`);
    files.set(file, Buffer.from(content));
    return file;
  };

  let { script, loader } = frontEnd;
  const modules = new Map();
  for (const [module, content] of frontEnd.modules) {
    const stem = moduleStem(module, frontEnd.parts);
    modules.set(module, add(stem, hash(content), "wasm", content));
    loader = replaceEach(loader, `"./${module}.wasm"`, `"./${path.basename(modules.get(module))}"`);
  }
  const hashes = { js: "", wasm: hash(frontEnd.wasm), css: hash(css), split: "" };
  script = replaceEach(script, `${name}_bg.wasm`, `${name}.${hashes.wasm}.wasm`);
  // The two scripts import each other, so one hash of both is in both names.
  hashes.js = hashes.split = hash(script + loader);
  script = replaceEach(script, loaderImport, `from"./__wasm_split.${hashes.split}.js"`);
  loader = replaceEach(loader, `"./${name}.js"`, `"./${name}.${hashes.js}.js"`);

  const firstPage = [
    add(name, hashes.js, "js", script),
    add("__wasm_split", hashes.split, "js", loader),
    add(name, hashes.wasm, "wasm", frontEnd.wasm),
    add(name, hashes.css, "css", css),
  ];
  const parts = new Map([...frontEnd.parts].map(([part, names]) => [part, names.map((module) => modules.get(module))]));
  addFolder(files, frontEnd.snippets, path.join(pkg, "snippets"));
  const kept = new Set(files.keys());
  addFolder(files, leptos["assets-dir"], "");
  return { files, hashes, firstPage, parts, kept };
}

/** `split_ride` is `ride`; a shared module is named after the parts that need it. */
function moduleStem(module, parts) {
  const users = [...parts].filter(([, modules]) => modules.includes(module)).map(([part]) => part).sort();
  return users.length === 1 ? users[0] : `shared-${users.join("-")}`;
}

function replaceEach(text, from, to) {
  const replaced = text.replaceAll(from, to);
  if (replaced === text) throw new Error(`Nothing names ${from}: the tools' output has changed.`);
  return replaced;
}

/** Makes the site folder hold these files, those of recent builds, and no others. */
export function writeSite(project, { files, hashes, parts, kept }) {
  const { wanted, written } = writeFiles(project.site, files);
  const builds = recordBuild(path.join(project.site, project.pkg, "builds.json"), [...kept].sort());
  for (const file of [project.pkg + "/builds.json", ...builds.flatMap((build) => build.files)]) {
    for (const suffix of ["", ".br", ".gz"]) wanted.add(path.join(project.site, file + suffix));
  }
  const removed = listFiles(project.site).filter((file) => !wanted.has(file));
  removed.forEach((file) => fs.rmSync(file));
  say(`site: ${files.size} files, ${written} written, ${removed.length} removed, `
    + `files of ${builds.length - 1} earlier builds kept`);

  // Leptos reads the hash of the style sheet, app/src/document/site_files.rs the rest.
  const lines = [
    ...Object.entries(hashes),
    ...[...parts].map(([part, modules]) => [`part ${part}`, modules.map((file) => path.basename(file)).join(" ")]),
  ].map(([kind, value]) => `${kind}: ${value}\n`);
  writeIfChanged(path.join(project.release, "hash.txt"), Buffer.from(lines.join("")));
}

/** Makes one folder of the site hold these files and no others; all are in this folder. */
export function writeSiteFolder(project, folder, files) {
  const { wanted, written } = writeFiles(project.site, files);
  const removed = listFiles(path.join(project.site, folder)).filter((file) => !wanted.has(file));
  removed.forEach((file) => fs.rmSync(file));
  say(`site/${folder}: ${files.size} files, ${written} written, ${removed.length} removed`);
}

/** Writes files that have changed, and compressed copies beside them; returns the paths of all. */
function writeFiles(site, files) {
  let written = 0;
  const wanted = new Set();
  for (const [name, content] of files) {
    const target = path.join(site, name);
    const changed = writeIfChanged(target, content);
    written += changed ? 1 : 0;
    wanted.add(target);
    if (!compressible.test(name) || content.length < 1024) continue;
    for (const [suffix, compress] of [[".br", brotli], [".gz", gzip]]) {
      wanted.add(target + suffix);
      if (changed || !fs.existsSync(target + suffix)) fs.writeFileSync(target + suffix, compress(content));
    }
  }
  return { wanted, written };
}

/** Adds this build to the list in the site folder; returns those whose files stay, newest first. */
export function recordBuild(listFile, files, now = Date.now()) {
  const earlier = JSON.parse(readIfThere(listFile) ?? "[]");
  const isSame = earlier[0]?.files.join() === files.join();
  const builds = isSame ? earlier : [{ built: new Date(now).toISOString(), files }, ...earlier];
  // A build has been replaced since the moment that the next one was built.
  const staying = builds.slice(0, keptBuilds)
    .filter((_, index) => index === 0 || now - Date.parse(builds[index - 1].built) < keptFor);
  writeIfChanged(listFile, Buffer.from(JSON.stringify(staying, null, 1)));
  return staying;
}

function addFolder(files, folder, under) {
  for (const file of listFiles(folder)) {
    files.set(path.join(under, path.relative(folder, file)), fs.readFileSync(file));
  }
}

function gzip(content) {
  return zlib.gzipSync(content, { level: 9 });
}
