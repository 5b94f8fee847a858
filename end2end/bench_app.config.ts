import { defineConfig } from "@playwright/test";
import { launchOptions } from "./fixtures/browser.ts";

// Benchmark of the app in one browser: `make bench-app`. One test at a time, since times are measured.
export default defineConfig({
  testDir: "bench_app",
  globalTeardown: "./bench_app/report.ts",
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 900_000,
  expect: { timeout: 60_000 },
  reporter: [["list"]],
  outputDir: "test-results/bench-app",
  use: { launchOptions, actionTimeout: 60_000 },
});
