import { defineConfig } from "@playwright/test";
import { launchOptions } from "./fixtures/browser.ts";

// Every file has a server of its own, so files may run beside each other. Rides last as long as they
// last: the time limits are those of real seconds.
export default defineConfig({
  testDir: "tests",
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  // No traces: recording them holds the pages up for longer than riders may start apart.
  use: { launchOptions, screenshot: "only-on-failure", actionTimeout: 15_000 },
});
