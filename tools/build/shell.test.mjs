import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { shellFiles } from "./shell.mjs";
import { writeSiteFolder } from "./site.mjs";

const scripts = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "shell", "scripts");

test("the page names the hashed script and style, and the script the hashed module", async (t) => {
  const files = await built(t, {});
  const page = text(files, "tunnel/shell.html");
  for (const [, name] of page.matchAll(/"\/\.gruppetto\/(shell\.[^"]+)"/g)) assert.ok(files.has(`tunnel/${name}`), name);
  assert.match(page, /shell\.[\w-]{20}\.js/);
  assert.match(page, /shell\.[\w-]{20}\.css/);
  const [module] = [...files.keys()].filter((name) => name.endsWith(".wasm"));
  assert.ok(script(files).includes(`/.gruppetto/${path.basename(module)}`));
});

test("a name changes with the content of the module", async (t) => {
  const [first, same, other] = [await built(t, {}), await built(t, {}), await built(t, { wasm: "other" })];
  assert.deepEqual([...same.keys()], [...first.keys()]);
  assert.notDeepEqual([...other.keys()], [...first.keys()]);
});

test("the worker carries the injected script, and the page its hash", async (t) => {
  const files = await built(t, { injected: "injected()" });
  assert.match(text(files, "tunnel/service-worker.js"), /injected\(\)/);
  const digest = createHash("sha256").update("injected()").digest("base64");
  assert.ok(script(files).includes(`'sha256-${digest}'`));
});

test("an injected script that would end its own element fails the build", async (t) => {
  await assert.rejects(built(t, { injected: "'</script>'" }), /end its own element/);
});

test("the folder holds the files of this build alone, beside those of the app", async (t) => {
  const site = folder(t);
  fs.mkdirSync(path.join(site, "tunnel"));
  fs.writeFileSync(path.join(site, "tunnel", "shell.old.js"), "");
  fs.writeFileSync(path.join(site, "icon.svg"), "");
  writeSiteFolder({ site }, "tunnel", new Map([["tunnel/shell.html", Buffer.from("page")]]));
  assert.deepEqual(fs.readdirSync(path.join(site, "tunnel")), ["shell.html"]);
  assert.ok(fs.existsSync(path.join(site, "icon.svg")));
});

function built(t, { wasm = "module", injected = "injected()" }) {
  const glue = path.join(folder(t), "shell_wasm.js");
  fs.writeFileSync(glue, "export default async function init() {}\nexport class Channel {}\nexport class MessageDecoder {}\n"
    + "export function encodeText() {}\nexport function encodeBinary() {}\nexport function encodeClose() {}\n");
  return shellFiles(scripts, { wasm: Buffer.from(wasm), glue, injected });
}

function folder(t) {
  const created = fs.mkdtempSync(path.join(os.tmpdir(), "shell-"));
  t.after(() => fs.rmSync(created, { recursive: true }));
  return created;
}

function text(files, name) {
  return files.get(name).toString();
}

function script(files) {
  return text(files, [...files.keys()].find((name) => /shell\.[\w-]{20}\.js$/.test(name)));
}
