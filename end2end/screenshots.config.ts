import { defineConfig } from "@playwright/test";
import { launchOptions } from "./fixtures/browser.ts";

// Takes screenshots of a ride for visual review: `npm run screenshots`.
export default defineConfig({
  testDir: "screenshots",
  workers: 1,
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  outputDir: "test-results/screenshots",
  use: { launchOptions, actionTimeout: 15_000 },
});
