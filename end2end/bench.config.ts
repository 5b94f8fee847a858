import { defineConfig } from "@playwright/test";
import { launchOptions } from "./fixtures/browser.ts";

// What the riders' mesh takes, beside two plain meshes of data channels: `make bench-mesh`. One crowd at a time, because
// what is measured is time.
export default defineConfig({
  testDir: "bench",
  globalSetup: "./bench/before.ts",
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
