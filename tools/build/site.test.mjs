import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { nameFiles, recordBuild, writeSite } from "./site.mjs";

const day = 24 * 60 * 60 * 1000;
const start = Date.parse("2026-01-01T00:00:00Z");

test("the files of a build stay for 30 days after it was replaced", (t) => {
  const list = path.join(folder(t), "builds.json");
  recordBuild(list, ["pkg/a.wasm"], start);
  // The first build was in use for 100 days.
  assert.deepEqual(filesOf(recordBuild(list, ["pkg/b.wasm"], start + 100 * day)), ["pkg/b.wasm", "pkg/a.wasm"]);
  assert.deepEqual(filesOf(recordBuild(list, ["pkg/b.wasm"], start + 129 * day)), ["pkg/b.wasm", "pkg/a.wasm"]);
  assert.deepEqual(filesOf(recordBuild(list, ["pkg/b.wasm"], start + 131 * day)), ["pkg/b.wasm"]);
});

test("the files of at most ten builds stay", (t) => {
  const list = path.join(folder(t), "builds.json");
  for (let build = 0; build < 12; build++) recordBuild(list, [`pkg/${build}.wasm`], start + build);
  const kept = filesOf(recordBuild(list, ["pkg/11.wasm"], start + 20));
  assert.deepEqual(kept, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((build) => `pkg/${build}.wasm`));
});

test("a name changes with the content of the file, and with nothing else", () => {
  const first = names(frontEnd({ ride: "ride code" }));
  assert.deepEqual(names(frontEnd({ ride: "ride code" })), first);
  const second = names(frontEnd({ ride: "other code" }));
  assert.notEqual(second.ride, first.ride);
  assert.equal(second.main, first.main);
  assert.equal(second.later, first.later);
});

test("the scripts name the hashed files", () => {
  const { files } = nameFiles(project("/nowhere"), frontEnd({}), "css");
  const text = (start) => files.get([...files.keys()].find((file) => file.startsWith(start))).toString();
  const has = (name) => [...files.keys()].some((file) => path.basename(file) === name);
  for (const [, name] of text("pkg/__wasm_split.").matchAll(/"\.\/([^"]+)"/g)) assert.ok(has(name), name);
  assert.match(text("pkg/app."), /app\.[\w-]{20}\.wasm/);
  assert.match(text("pkg/app."), /from"\.\/__wasm_split\.[\w-]{20}\.js"/);
});

test("the server can read which modules a part consists of", (t) => {
  const site = project(folder(t));
  const named = nameFiles(site, frontEnd({}), "css");
  writeSite(site, named);
  const lines = fs.readFileSync(path.join(site.release, "hash.txt"), "utf8").split("\n");
  const [, modules] = lines.find((line) => line.startsWith("part ride: ")).split(": ");
  assert.deepEqual(modules.split(" ").map((file) => path.join("pkg", file)), named.parts.get("ride"));
});

test("the files of an earlier build stay in the site, and unknown files go", (t) => {
  const root = folder(t);
  const site = project(root);
  writeSite(site, nameFiles(site, frontEnd({ ride: "first" }), "css"));
  const first = listed(site);
  fs.writeFileSync(path.join(site.site, "pkg", "left-over.wasm"), "");
  writeSite(site, nameFiles(site, frontEnd({ ride: "second" }), "css"));
  const second = listed(site);
  assert.deepEqual(first.filter((file) => !second.includes(file)), []);
  assert.equal(second.filter((file) => /^ride\..*\.wasm$/.test(file)).length, 2);
  assert.ok(!second.includes("left-over.wasm"));
});

function folder(t) {
  const created = fs.mkdtempSync(path.join(os.tmpdir(), "site-"));
  t.after(() => fs.rmSync(created, { recursive: true }));
  return created;
}

function filesOf(builds) {
  return builds.flatMap((build) => build.files);
}

function project(root) {
  return {
    name: "app", pkg: "pkg", leptos: { "assets-dir": path.join(root, "public") },
    site: path.join(root, "site"), release: path.join(root, "release"),
  };
}

/** A build with a main module, two parts, and a module that they share. */
function frontEnd({ ride = "ride code" }) {
  return {
    script: 'import*as loader from"./__wasm_split.js";load("app_bg.wasm",{"./__wasm_split.js":loader})',
    loader: 'import{initSync}from"./app.js";fetch("./chunk_3.wasm");fetch("./split_ride.wasm");fetch("./split_later.wasm")',
    wasm: Buffer.from("main code"),
    modules: new Map([["chunk_3", Buffer.from("shared")], ["split_ride", Buffer.from(ride)], ["split_later", Buffer.from("later")]]),
    parts: new Map([["ride", ["chunk_3", "split_ride"]], ["later", ["chunk_3", "split_later"]]]),
    snippets: "/nowhere",
  };
}

function names(built) {
  const { parts, hashes } = nameFiles(project("/nowhere"), built, "css");
  assert.match(parts.get("ride")[0], /^pkg\/shared-later-ride\./);
  return { main: hashes.wasm, ride: parts.get("ride")[1], later: parts.get("later")[1] };
}

function listed({ site }) {
  return fs.readdirSync(path.join(site, "pkg"));
}
