// Running other programs, and saying what was done.

import { spawnSync } from "node:child_process";
import path from "node:path";

/** Runs a program whose output the user reads. */
export function run(command, parameters, options = {}) {
  const { status, error } = spawnSync(command, parameters, { stdio: "inherit", ...options });
  if (error) throw new Error(`${command} does not start (${error.code}): run tools/setup.sh build.`);
  if (status !== 0) throw new Error(`${path.basename(command)} failed.`);
}

/** Runs a program whose warnings do not matter; its messages are shown when it fails. */
export function runQuietly(command, parameters) {
  const { status, error, stderr } = spawnSync(command, parameters, {
    stdio: ["ignore", "ignore", "pipe"], encoding: "utf8", maxBuffer: 1 << 28,
  });
  if (error) throw new Error(`${command} does not start (${error.code}): run tools/setup.sh build.`);
  if (status !== 0) throw new Error(`${path.basename(command)} failed: ${stderr}`);
}

/** Runs a program and returns what it writes. */
export function capture(command, parameters) {
  const { status, error, stdout } = spawnSync(command, parameters, {
    stdio: ["ignore", "pipe", "inherit"], encoding: "utf8", maxBuffer: 1 << 28,
  });
  if (error) throw new Error(`${command} does not start (${error.code}): run tools/setup.sh build.`);
  if (status !== 0) throw new Error(`${command} ${parameters[0]} failed.`);
  return stdout;
}

/** Does the work, and says how long it took and what it returned. */
export function timed(what, work) {
  const start = Date.now();
  const result = work();
  say(`${what}: ${((Date.now() - start) / 1000).toFixed(1)} s${result ? `, ${result}` : ""}`);
}

export function say(line) {
  console.log(`build: ${line}`);
}

export function cargo(what, parameters) {
  timed(what, () => run("cargo", parameters));
}

/** The flags for the features of one half: "lib" is the browser's, "bin" the server's. */
export function features(leptos, half, more = []) {
  const list = [`--features=${[...leptos[`${half}-features`], ...more].join(",")}`];
  return leptos[`${half}-default-features`] === false ? ["--no-default-features", ...list] : list;
}
