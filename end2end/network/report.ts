import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launchOptions } from "../fixtures/browser.ts";
import { columns, loadMeasurements, type Column, type Measurement } from "./fixtures/measurements.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const [begin, end] = ["<!-- measured -->", "<!-- measured until here -->"];

/** Writes the tables into the page that NETWORK_OUTPUT names, between its two markers. */
export default function report(): void {
  const output = process.env.NETWORK_OUTPUT;
  if (!output) return;
  const file = path.join(root, output);
  const [before, rest = ""] = readFileSync(file, "utf8").split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${output} has no markers ${begin} and ${end}.`);
  writeFileSync(file, `${before}${begin}\n${tables(loadMeasurements())}\n${end}${after}`);
}

function tables(all: Measurement[]): string {
  const browser = execFileSync(launchOptions.executablePath, ["--version"], { encoding: "utf8" }).trim();
  const taken = `Taken on ${new Date().toISOString().slice(0, 10)} by \`make connectivity\`: ${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, ${browser}.`;
  return [taken, table(all, columns.joining), table(all, columns.outage), table(all, columns.loss)].join("\n\n");
}

/** A table with one row for each network that has a value in any of these columns. */
function table(all: Measurement[], columns: readonly Column[]): string {
  const networks = [...new Set(all.filter(({ column }) => columns.includes(column)).map(({ network }) => network))];
  const value = (network: string, column: Column) => all.find((cell) => cell.network === network && cell.column === column)?.value ?? "–";
  const rows = networks.map((network) => [network, ...columns.map((column) => value(network, column))]);
  return [["network", ...columns], ["network", ...columns].map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
