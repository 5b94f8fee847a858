import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** What links the riders. */
export type Mesh = "Gruppetto" | "PeerJS" | "simple-peer";

/** What was measured of a crowd; times in milliseconds. */
export type Figures = {
  mesh: Mesh;
  riders: number;
  /** From Join until the newcomer and everybody else have had numbers of each other. */
  numbers: number[];
  /** From Join until the newcomer and everybody else are linked directly. */
  direct: number[];
  /** Of the numbers, from the sender's call to the receiver's event. */
  ages: number[];
  /** Between any two riders, of the moments at which their state went over to riding. */
  skews: number[];
  /** The same of their screens, where they have any. */
  screens: number[];
  /** A second, each way of each link. */
  bytes: number[];
  /** Percent of a core that a page takes. */
  processor: number[];
  /** MiB that a page takes. */
  memory: number[];
};

// Each in a file, since a crowd that fails ends its process.
const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", ".out", "bench");

export function forget(): void {
  rmSync(folder, { recursive: true, force: true });
}

export function keep(figures: Figures): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${figures.mesh}-${figures.riders}.json`), JSON.stringify(figures));
}

export function kept(): Figures[] {
  const read = (file: string) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Figures;
  return existsSync(folder) ? readdirSync(folder).map(read) : [];
}

/** How far apart any two of these moments are. */
export function apart(moments: number[]): number[] {
  return moments.flatMap((one, index) => moments.slice(index + 1).map((other) => Math.abs(one - other)));
}

/** The smallest sample that so many percent of them do not exceed. */
export function percentile(samples: number[], percent: number): number {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? NaN;
}
