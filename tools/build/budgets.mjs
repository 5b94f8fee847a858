// What the parts of the site weigh when they are sent, and the most that they
// may: [package.metadata.site.budgets] in Cargo.toml, in KB (1000 bytes) of
// brotli.

import fs from "node:fs";
import path from "node:path";
import { say } from "./run.mjs";

/**
 * Prints the table; throws when a part is over its budget or has none.
 *
 * `files` is a map from the path in the site folder to the content, `parts` pairs of a name and the
 * paths of its files. With `isWhole`, every budget must have its part.
 */
export function checkBudgets(project, files, parts, { isWhole }) {
  const sent = (file) => {
    const compressed = path.join(project.site, `${file}.br`);
    return fs.existsSync(compressed) ? fs.statSync(compressed).size : files.get(file).length;
  };
  const rows = parts.map(([part, modules]) => ({
    part,
    bytes: modules.reduce((sum, file) => sum + sent(file), 0),
    budget: project.budgets[part],
    modules: modules.map((file) => `${path.basename(file).split(".")[0]}${path.extname(file)} ${kilobytes(sent(file))}`),
  }));

  say("sent, in KB of brotli; modules that parts share count for each of them");
  say(`  ${"part".padEnd(10)}${"sent".padStart(7)}${"budget".padStart(9)}  modules`);
  for (const { part, bytes, budget, modules } of rows) {
    say(`  ${part.padEnd(10)}${kilobytes(bytes).padStart(7)}${String(budget ?? "none").padStart(9)}  ${modules.join(", ")}`);
  }
  const over = rows.filter(({ bytes, budget }) => !(bytes <= budget * 1000)).map(({ part }) => part);
  const unknown = Object.keys(project.budgets).filter((part) => !rows.some((row) => row.part === part));
  if (over.length) throw new Error(`Over budget, or without one in Cargo.toml: ${over.join(", ")}.`);
  if (isWhole && unknown.length) throw new Error(`Cargo.toml has budgets for parts that do not exist: ${unknown.join(", ")}.`);
}

function kilobytes(bytes) {
  return (bytes / 1000).toFixed(1);
}
