import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launchOptions } from "../fixtures/browser.ts";
import { amount, quick } from "./amount.ts";
import { kept, percentile, type Figures, type Mesh } from "./figures.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Writes the page, or prints it. */
export default function report(): void {
  const text = page(kept());
  const output = process.env.BENCH_OUTPUT;
  if (output) writeFileSync(path.join(root, output), text);
  else console.log(text);
}

function page(all: Figures[]): string {
  const { crowds, rides, joins, seconds } = amount;
  const command = quick ? "make bench-mesh-quick" : "make bench-mesh";
  const parts = [
    "# The riders' mesh",
    `Taken on ${new Date().toISOString().slice(0, 10)} by \`${command}\`, which writes this page. What the server takes is in
\`docs/benchmarks.md\`.`,
    quick ? "**A quick run, to see that it works: the figures mean nothing.**" : "",
    `${crowds.join(", ")} riders, each a page in a browser context of its own, all in one
Chromium on one machine with the server: pages wait for each other's processor
time, the more of them the longer. Each crowd comes together and rides ${rides} ${times(rides)};
before each ride the last rider joins ${joins} ${times(joins)}, each time as somebody new.`,
    machine(),
    "## What was to be reached",
    aims(all),
    ...(["Gruppetto", "PeerJS", "simple-peer"] as const).flatMap((mesh) => [`## ${mesh}`, words[mesh], table(all.filter((one) => one.mesh === mesh))]),
    "## What is measured",
    `- *First numbers*: from the tap on Join until the newcomer has had numbers of all
  others, and all others of the newcomer. In the app that is when the list of
  riders no longer says that they have none.
- *Direct*: the same, until all of those links are direct.
- *Age*: from the sender's \`send()\` to the receiver's \`message\` event, for
  every message with numbers over data channels during ${seconds} s of riding.
- *Skew*: between any two riders, of the moments at which their page's state went
  over to riding: in the app its \`data-stage\`, in the plain pages their timer.
- *Screen's skew*: the same of the moments at which the screen of the ride stood,
  which all pages build at the same time. The plain pages have none.
- *Bytes*: sent over a link in a second of riding, one way: what is in its UDP
  packets, but for ICE's own checks (\`bytesSent\` of the transport).
- *Processor*, *memory*: of a page's process during those ${seconds} s, in percent of a
  core, and as proportional set size.`,
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

const words: Record<Mesh, string> = {
  Gruppetto: "The app itself. It relays until a link is direct, so numbers come first.",
  PeerJS: `A page with PeerJS and its defaults on this server: the newcomer calls the first
rider, is told who else is there, and calls them. Numbers as JSON values every
500 ms. The first rider says "start in three seconds", everybody counts from when
they hear it.`,
  "simple-peer": `A page with simple-peer and its defaults on this server, which tells the newcomer
who is there; the newcomer calls them all. Numbers and start as with PeerJS.`,
};

function table(all: Figures[]): string {
  const rows = all
    .sort((one, other) => one.riders - other.riders)
    .map((one) => [
      one.riders,
      both(one.numbers),
      both(one.direct),
      both(one.ages, 1),
      percentile(one.skews, 95).toFixed(1),
      one.screens.length > 0 ? percentile(one.screens, 95).toFixed(1) : "–",
      percentile(one.bytes, 50).toFixed(0),
      percentile(one.processor, 50).toFixed(1),
      percentile(one.memory, 50).toFixed(0),
    ]);
  const head = ["riders", "first numbers p50 / p95, ms", "direct p50 / p95, ms", "age p50 / p95, ms", "skew p95, ms", "screen's skew p95, ms", "bytes a second a link", "processor a page, %", "memory a page, MiB"];
  return [head, head.map(() => "---:"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function aims(all: Figures[]): string {
  const four = all.find(({ mesh, riders }) => mesh === "Gruppetto" && riders === 4);
  if (!four) return "Nothing was measured of four riders.";
  const rows: [string, number, number][] = [
    ["first numbers, p95", percentile(four.numbers, 95), 500],
    ["direct, p95", percentile(four.direct, 95), 2_000],
    ["age, p95", percentile(four.ages, 95), 20],
    ["skew, p95", percentile(four.skews, 95), 15],
  ];
  const lines = rows.map(([what, figure, aim]) => `| ${what} | under ${aim} ms | ${figure.toFixed(1)} ms | ${figure < aim ? "yes" : "**no**"} |`);
  return ["With four riders:", "", "| | aim | measured | reached |", "|---|---|---|---|", ...lines].join("\n");
}

function machine(): string {
  const said = (program: string, ...parameters: string[]) => execFileSync(program, parameters, { encoding: "utf8", cwd: root }).trim();
  const facts = {
    processor: `${cpus().length} × ${cpus()[0]?.model}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `Linux ${release()}`,
    browser: said(launchOptions.executablePath, "--version"),
    "Node.js": process.version,
  };
  return ["| | |", "|---|---|", ...Object.entries(facts).map(([name, value]) => `| ${name} | ${value} |`)].join("\n");
}

function both(samples: number[], digits = 0): string {
  return `${percentile(samples, 50).toFixed(digits)} / ${percentile(samples, 95).toFixed(digits)}`;
}

function times(count: number): string {
  return count === 1 ? "time" : "times";
}
