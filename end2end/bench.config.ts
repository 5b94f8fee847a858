import { defineConfig } from "@playwright/test";
import { launchOptions } from "./fixtures/browser.ts";

// Benchmark of the app's mesh and of two meshes made with client libraries: `make bench-mesh`. One test at a time, since
// times are measured.
export default defineConfig({
  testDir: "bench",
  globalSetup: "./bench/setup.ts",
  globalTeardown: "./bench/report.ts",
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 1_200_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  outputDir: "test-results/bench",
  use: { launchOptions, actionTimeout: 30_000 },
});
