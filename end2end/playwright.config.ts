import { defineConfig } from "@playwright/test";
import { launchOptions } from "./fixtures/browser.ts";

// Every file has its own server, so files can run in parallel. Rides run in real time, which the time limits allow for.
export default defineConfig({
  testDir: "tests",
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  // No traces: recording them delays the pages by more than the accepted difference between starts.
  use: { launchOptions, screenshot: "only-on-failure", actionTimeout: 15_000 },
});
