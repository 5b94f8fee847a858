import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Name of a measured mesh. */
export type MeshName = "Gruppetto" | "PeerJS" | "simple-peer";

/** Measurements of a mesh with one group size; times in milliseconds. */
export type Figures = {
  mesh: MeshName;
  riders: number;
  /** From Join until the newcomer and all others have had numbers of each other. */
  numbers: number[];
  /** From Join until the newcomer and all others are linked directly. */
  direct: number[];
  /** Ages of numbers, from the call of the sender to the event of the receiver. */
  ages: number[];
  /** Differences between the moments at which the states of two riders changed to riding. */
  skews: number[];
  /** The same for the moments at which their screens showed the ride, if they have screens. */
  screens: number[];
  /** Bytes per second in each direction of each link. */
  bytes: number[];
  /** Processor time of a page in percent of a core. */
  processor: number[];
  /** Memory of a page in MiB. */
  memory: number[];
};

/** Times in ms from a target on the rider's page to the control point of the trainer. */
export type TargetTimes = {
  /** The trainer is connected by a phone. */
  phone: number[];
  /** The trainer is connected by the page itself. */
  page: number[];
};

/** A file that is sent between two of four riders. */
export type TransferFigures = {
  /** Size in bytes. */
  size: number;
  /** Time from Accept until the file is complete and checked. */
  seconds: number;
  /** Ages in ms of the numbers of all riders before the transfer. */
  quiet: number[];
  /** Ages in ms of the numbers of all riders during the transfer. */
  ages: number[];
  /** Processor time of each page with a closed chat, in percent of a core. */
  closed: number[];
  /** The same before the transfer; the chat is open and idle. */
  idle: number[];
  /** The same during the transfer, the busiest page first. */
  busy: number[];
};

/** A ride of four riders while they send sound and pictures. */
export type MediaStage = {
  name: "nothing" | "three cameras" | "four voices" | "four voices and three cameras" | "four voices and four cameras";
  /** Ages in ms of the numbers of all riders. */
  ages: number[];
  /** Processor time of each page in percent of a core. */
  processor: number[];
  /** Bytes per second that a page sends to all others, numbers included. */
  sent: number;
  /** Pictures per second of each camera that a page decodes. */
  pictures?: number;
};

// One file per measurement, since the worker process ends when a test fails.
const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", ".out", "bench");

export function deleteFigures(): void {
  rmSync(folder, { recursive: true, force: true });
  rmSync(targetTimes, { force: true });
  rmSync(transferFigures, { force: true });
  rmSync(mediaStages, { force: true });
}

export function saveFigures(figures: Figures): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${figures.mesh}-${figures.riders}.json`), JSON.stringify(figures));
}

const targetTimes = path.join(folder, "..", "bench-targets.json");

export function saveTargetTimes(times: TargetTimes): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(targetTimes, JSON.stringify(times));
}

export function loadTargetTimes(): TargetTimes | undefined {
  return existsSync(targetTimes) ? (JSON.parse(readFileSync(targetTimes, "utf8")) as TargetTimes) : undefined;
}

const transferFigures = path.join(folder, "..", "bench-transfer.json");

export function saveTransfer(figures: TransferFigures): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(transferFigures, JSON.stringify(figures));
}

export function loadTransfer(): TransferFigures | undefined {
  return existsSync(transferFigures) ? (JSON.parse(readFileSync(transferFigures, "utf8")) as TransferFigures) : undefined;
}

const mediaStages = path.join(folder, "..", "bench-media.json");

export function saveMedia(stages: MediaStage[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(mediaStages, JSON.stringify(stages));
}

export function loadMedia(): MediaStage[] {
  return existsSync(mediaStages) ? (JSON.parse(readFileSync(mediaStages, "utf8")) as MediaStage[]) : [];
}

export function loadFigures(): Figures[] {
  const read = (file: string) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as Figures;
  return existsSync(folder) ? readdirSync(folder).map(read) : [];
}

/** Differences between all pairs of moments. */
export function differences(moments: number[]): number[] {
  return moments.flatMap((one, index) => moments.slice(index + 1).map((other) => Math.abs(one - other)));
}

/** The smallest sample that is not exceeded by this percentage of all samples. */
export function percentile(samples: number[], percent: number): number {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? NaN;
}
