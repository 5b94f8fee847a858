// Reading, comparing and naming files.

import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

/** 20 characters that stand for this content, fit for a file name. */
export function hash(content) {
  return createHash("sha256").update(content).digest("base64url").slice(0, 20);
}

export function listFiles(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Writes the file unless that is its content already; tells whether it did. */
export function writeIfChanged(file, content) {
  if (fs.existsSync(file) && fs.readFileSync(file).equals(content)) return false;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, content);
  return true;
}

export function readIfThere(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : null;
}
