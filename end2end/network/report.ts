import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launchOptions } from "../fixtures/browser.ts";
import { loadLinks } from "./fixtures/matrix.ts";
import { columns, loadMeasurements, type Column, type Measurement } from "./fixtures/measurements.ts";
import { matrixTables } from "./matrix_report.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Writes the tables into the page that NETWORK_OUTPUT names, between its markers. Those that were not measured stay. */
export default function report(): void {
  const output = process.env.NETWORK_OUTPUT;
  if (!output) return;
  const file = path.resolve(root, output);
  let text = readFileSync(file, "utf8");
  const measurements = loadMeasurements();
  const links = loadLinks();
  if (measurements.length > 0) text = replaced(text, "measured", `${taken()}\n\n${tables(measurements)}`);
  if (links.length > 0) text = replaced(text, "matrix", `${taken()}\n\n${matrixTables(links)}`);
  writeFileSync(file, text);
}

/** Puts new content between two markers of a text. */
function replaced(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- ${name} until here -->`];
  const [before, rest = ""] = text.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`The page has no markers ${begin} and ${end}.`);
  return `${before}${begin}\n${content}\n${end}${after}`;
}

/** Day, machine and browser of the measurements, and how busy the machine is. */
function taken(): string {
  const browser = execFileSync(launchOptions.executablePath, ["--version"], { encoding: "utf8" }).trim();
  const load = loadavg()[2]!.toFixed(0);
  return `Taken on ${new Date().toISOString().slice(0, 10)} by \`make connectivity\`: ${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, ${browser}; mean load of the last 15 minutes: ${load}.`;
}

function tables(all: Measurement[]): string {
  return [table(all, columns.joining), table(all, columns.outage), table(all, columns.loss)].join("\n\n");
}

/** A table with one row for each network that has a value in any of these columns. */
function table(all: Measurement[], columns: readonly Column[]): string {
  const networks = [...new Set(all.filter(({ column }) => columns.includes(column)).map(({ network }) => network))];
  const value = (network: string, column: Column) => all.find((cell) => cell.network === network && cell.column === column)?.value ?? "–";
  const rows = networks.map((network) => [network, ...columns.map((column) => value(network, column))]);
  return [["network", ...columns], ["network", ...columns].map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
