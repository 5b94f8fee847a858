import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { launchOptions } from "../fixtures/browser.ts";
import { parameters, quick } from "./parameters.ts";
import { loadFigures, loadMedia, loadTargetTimes, loadTransfer, percentile, type Figures, type MediaStage, type MeshName } from "./figures.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Writes the report into the file that BENCH_OUTPUT names, or prints it. */
export default function report(): void {
  const text = page(loadFigures());
  const output = process.env.BENCH_OUTPUT;
  if (output) writeFileSync(path.join(root, output), text);
  else console.log(text);
}

function page(all: Figures[]): string {
  const { groups, rides, joins, seconds } = parameters;
  const command = quick ? "make bench-mesh-quick" : "make bench-mesh";
  const parts = [
    "# The riders' mesh",
    `Taken on ${new Date().toISOString().slice(0, 10)} by \`${command}\`, which writes this page. The load of the
server is in \`docs/benchmarks.md\`.`,
    quick ? "**A short run that only checks the benchmark; the figures are not meaningful.**" : "",
    `${groups.join(", ")} riders, each a page in its own browser context, all in one Chromium
on the same machine as the server: the pages share its processor, so times grow
with their number. Each group gathers and rides ${rides} ${times(rides)}; before each
ride the last rider joins ${joins} ${times(joins)}, each time as a new rider.`,
    machine(),
    "## Targets",
    targets(all),
    ...(["Gruppetto", "PeerJS", "simple-peer"] as const).flatMap((mesh) => [`## ${mesh}`, descriptions[mesh], table(all.filter((figures) => figures.mesh === mesh))]),
    "## A phone as bridge",
    bridge(),
    "## A file of 100 MB",
    transfer(),
    "## Voice and cameras",
    media(),
    "## Definitions",
    `- *First numbers*: from the click on Join until the newcomer has had numbers of
  all others, and all others of the newcomer. In the app a rider counts when the
  list of riders no longer marks the numbers as stale.
- *Direct*: the same, until all of these links are direct.
- *Age*: from \`send()\` at the sender to the \`message\` event at the receiver, for
  each message with numbers over data channels during ${seconds} s of riding.
- *Skew*: difference between two riders of the moments at which the state of the
  page changed to riding: \`data-stage\` in the app, a timer in the library pages.
- *Screen skew*: the same for the moments at which the screen of the ride was
  shown. All pages render it at the same time. The library pages have no screens.
- *Bytes*: sent over a link per second of riding, in one direction: the content of
  its UDP packets without ICE checks (\`bytesSent\` of the transport).
- *Target*: from the rider's page sending a new target (by the page itself: showing it,
  in the same task as it decides it) to the call that writes it to the control point of
  the trainer, during a ramp that changes the target several times a second.
- *Sent*: the same bytes of all connections of a page together, numbers, sound and
  pictures, to all others.
- *Pictures*: decoded by the receivers. A camera sends 15 per second, and fewer when the
  machine is too slow.
- *Processor*, *memory*: of the process of a page during these ${seconds} s, in percent
  of a core and as proportional set size. It encodes and decodes sound and pictures; microphone
  and camera are read by another process of the browser, which is not counted.`,
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

const descriptions: Record<MeshName, string> = {
  Gruppetto: "The app itself. It relays until a link is direct, so numbers arrive before the link is direct.",
  PeerJS: `A page with PeerJS and its defaults on this server: a newcomer connects to the
first rider, receives the ids of the others, and connects to them. Numbers are
JSON values every 500 ms. The first rider sends "start in three seconds", and each
page starts a timer when the message arrives.`,
  "simple-peer": `A page with simple-peer and its defaults on this server: a newcomer receives the
ids of the others from the server and connects to them. Numbers and start as with
PeerJS.`,
};

function table(all: Figures[]): string {
  const rows = all
    .sort((one, other) => one.riders - other.riders)
    .map((figures) => [
      figures.riders,
      both(figures.numbers),
      both(figures.direct),
      both(figures.ages, 1),
      percentile(figures.skews, 95).toFixed(1),
      figures.screens.length > 0 ? percentile(figures.screens, 95).toFixed(1) : "–",
      percentile(figures.bytes, 50).toFixed(0),
      percentile(figures.processor, 50).toFixed(1),
      percentile(figures.memory, 50).toFixed(0),
    ]);
  const head = ["riders", "first numbers p50 / p95, ms", "direct p50 / p95, ms", "age p50 / p95, ms", "skew p95, ms", "screen skew p95, ms", "bytes per second and link", "processor per page, %", "memory per page, MiB"];
  return [head, head.map(() => "---:"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function bridge(): string {
  const times = loadTargetTimes();
  if (!times) return "Not measured.";
  const rows = [
    ["by a phone", times.phone],
    ["by the page itself", times.page],
  ] as const;
  const lines = rows.map(([name, samples]) => `| ${name} | ${both(samples, 1)} | ${samples.length} |`);
  const p95 = percentile(times.phone, 95);
  return [
    `A phone's page passes the targets of a rider's page on to a trainer, over a direct link.
The target is under 150 ms at the 95th percentile; measured: ${p95.toFixed(1)} ms, ${p95 < 150 ? "reached" : "**not reached**"}.`,
    "",
    "| trainer connected | target p50 / p95, ms | targets |",
    "| --- | ---: | ---: |",
    ...lines,
  ].join("\n");
}

function transfer(): string {
  const figures = loadTransfer();
  if (!figures) return "Not measured.";
  const { size, seconds, quiet, ages, closed, idle, busy } = figures;
  const p95 = percentile(ages, 95);
  return [
    `Four riders ride; one sends ${(size / 1e6).toFixed(0)} MB to another over their direct link. It takes
${seconds.toFixed(1)} s (${(size / 1e6 / seconds).toFixed(1)} MB/s) until the file is stored and its SHA-256 compared. The age of the
numbers of all four is under 100 ms at the 95th percentile; measured: ${p95.toFixed(1)} ms, ${p95 < 100 ? "reached" : "**not reached**"}.`,
    "",
    "| | age p50 / p95, ms | processor per page, % |",
    "| --- | ---: | ---: |",
    `| with a closed chat | | ${closed.map((share) => share.toFixed(1)).join(", ")} |`,
    `| before the transfer, with an open idle chat | ${both(quiet, 1)} | ${idle.map((share) => share.toFixed(1)).join(", ")} |`,
    `| during the transfer | ${both(ages, 1)} | ${busy.map((share) => share.toFixed(1)).join(", ")} |`,
  ].join("\n");
}

function media(): string {
  const stages = loadMedia();
  const p95 = (name: MediaStage["name"]) => percentile(stages.find((stage) => stage.name === name)?.ages ?? [], 95);
  const added = p95("three cameras") - p95("nothing");
  if (Number.isNaN(added)) return "Not measured.";
  const rows = stages
    .map(({ name, ages, processor, sent, pictures }) => [
      name,
      both(ages, 1),
      processor.map((share) => share.toFixed(1)).join(", "),
      (sent / 1e3).toFixed(1),
      pictures?.toFixed(1) ?? "–",
    ])
    .map((row) => `| ${row.join(" | ")} |`);
  return [
    `Four riders ride; microphones and cameras are those that Chromium simulates. With three cameras the
age of the numbers is within 20 ms of that without at the 95th percentile; measured: ${added.toFixed(1)} ms
more, ${added < 20 ? "reached" : "**not reached**"}. With voices beside the cameras, four pages on one machine may use up its processor;
then all of them wait.`,
    "",
    "| sent by the riders | age p50 / p95, ms | processor per page, % | sent per page, kB/s | pictures per second and camera |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

function targets(all: Figures[]): string {
  const four = all.find(({ mesh, riders }) => mesh === "Gruppetto" && riders === 4);
  if (!four) return "No measurement with four riders.";
  const rows: [string, number, number][] = [
    ["first numbers, p95", percentile(four.numbers, 95), 500],
    ["direct, p95", percentile(four.direct, 95), 2_000],
    ["age, p95", percentile(four.ages, 95), 20],
    ["skew, p95", percentile(four.skews, 95), 15],
  ];
  const lines = rows.map(([name, figure, target]) => `| ${name} | under ${target} ms | ${figure.toFixed(1)} ms | ${figure < target ? "yes" : "**no**"} |`);
  return ["With four riders:", "", "| | target | measured | reached |", "|---|---|---|---|", ...lines].join("\n");
}

export function machine(): string {
  const output = (program: string, ...parameters: string[]) => execFileSync(program, parameters, { encoding: "utf8", cwd: root }).trim();
  const facts = {
    processor: `${cpus().length} × ${cpus()[0]?.model}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `Linux ${release()}`,
    browser: output(launchOptions.executablePath, "--version"),
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
