import { writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { machine } from "../bench/report.ts";
import { loadFigures, median } from "./figures.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Writes the report into the file that BENCH_OUTPUT names, or prints it. */
export default function report(): void {
  const figures = loadFigures();
  const row = (name: string, goal: string, peer = "–") => {
    const values = figures[name] ?? [];
    const largest = values.length > 1 ? Math.max(...values).toFixed(1) : "–";
    const peers = figures[peer];
    return `| ${name} | ${median(values).toFixed(1)} | ${largest} | ${goal} | ${peers ? `${peer}: ${median(peers).toFixed(1)}` : peer} |`;
  };
  const text = `# The app's rides

Taken on ${new Date().toISOString().slice(0, 10)} by \`make bench-app\`, which writes this page.

${machine()}

| figure | median | largest | goal | peer in the same run |
|---|---|---|---|---|
${[
    row("Growth of memory in two hours of riding, MB", "< 20"),
    row("Memory after five minutes, MB", "–"),
    row("FIT file of two hours, ms", "< 1000", "The SDK of Garmin in Node, ms"),
    row("Page of a ride of two hours, ms", "< 1000"),
    row("List of 500 rides, ms", "< 300", "Plain JavaScript, ms"),
    row("List of 500 rides from an empty tab, ms", "–"),
  ].join("\n")}

## Definitions

- *Growth of memory*: JavaScript heap and heap of the browser's objects after a garbage
  collection, and the memory of the module, which never shrinks: at the end
  of a solo ride of two hours, less those after its first five minutes. The clocks of
  the page run 40 times as fast, so the ride takes three minutes; every second
  is recorded and stored.
- *FIT file*: from the click on Download FIT to the click on the download that the
  page makes. The peer encodes the same number of records, lap and session
  with the official SDK in JavaScript.
- *Page of a ride*: from the click on its entry in the list to the first frame with its
  figures, tables and traces.
- *List*: from the click on the link to the list to the first frame with all entries.
  The peer reads the same entries from the same database and draws an item with the
  key of each, in the same page. *From an empty tab*: from the navigation, with the
  files of the app in the browser's cache.
`;
  const output = process.env.BENCH_OUTPUT;
  if (output) writeFileSync(path.join(root, output), text);
  else console.log(text);
}
