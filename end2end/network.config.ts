import { defineConfig } from "@playwright/test";

// Tests with browsers in their own network namespaces: `make test-network`, as root. One test at a time, since times are
// measured.
export default defineConfig({
  testDir: "network",
  // All pairs of routers take many minutes: `make connectivity` measures them.
  ...(process.env.NETWORK_OUTPUT === undefined ? { grepInvert: /@matrix/ } : {}),
  globalSetup: "./network/setup.ts",
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
