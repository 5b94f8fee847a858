import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const file = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "target", "end2end", "bench-app.json");

/** What was measured, by its name: all values of a run, in the unit of the name. */
export type Figures = Record<string, number[]>;

/** Adds what a test has measured. */
export function saveFigures(figures: Figures): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ ...loadFigures(), ...figures }));
}

export function loadFigures(): Figures {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Figures) : {};
}

/** Median of the values. */
export function median(values: number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}
