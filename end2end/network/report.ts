import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launchOptions } from "../fixtures/browser.ts";
import { facts, kept, type Fact, type Measurement } from "./fixtures/measured.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const [begin, end] = ["<!-- measured -->", "<!-- measured until here -->"];

/** Puts the tables of what was measured into the page that NETWORK_OUTPUT names, between its two marks. */
export default function report(): void {
  const output = process.env.NETWORK_OUTPUT;
  if (!output) return;
  const file = path.join(root, output);
  const [before, rest = ""] = readFileSync(file, "utf8").split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${output} lacks ${begin} and ${end}.`);
  writeFileSync(file, `${before}${begin}\n${tables(kept())}\n${end}${after}`);
}

function tables(all: Measurement[]): string {
  const browser = execFileSync(launchOptions.executablePath, ["--version"], { encoding: "utf8" }).trim();
  const taken = `Taken on ${new Date().toISOString().slice(0, 10)} by \`make connectivity\`: ${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, ${browser}.`;
  return [taken, table(all, facts.meeting), table(all, facts.cut), table(all, facts.loss)].join("\n\n");
}

/** The networks of which any of these was measured. */
function table(all: Measurement[], columns: readonly Fact[]): string {
  const networks = [...new Set(all.filter(({ fact }) => columns.includes(fact)).map(({ network }) => network))];
  const value = (network: string, fact: Fact) => all.find((one) => one.network === network && one.fact === fact)?.value ?? "–";
  const rows = networks.map((network) => [network, ...columns.map((fact) => value(network, fact))]);
  return [["network", ...columns], ["network", ...columns].map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
