import { defineConfig } from "@playwright/test";

// Browsers in network namespaces of their own: `make test-network`, as root. One test at a time, because what they
// measure is time.
export default defineConfig({
  testDir: "network",
  globalSetup: "./network/before.ts",
  globalTeardown: "./network/report.ts",
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  outputDir: "test-results/network",
  use: { screenshot: "only-on-failure", actionTimeout: 15_000 },
});
