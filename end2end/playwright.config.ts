import { defineConfig } from "@playwright/test";
import { launchOptions } from "./fixtures/browser.ts";

// Variants are tests of a behaviour that another test shows in its main form, for example with one more kind of device.
// `make test-variants` runs them alone.
const variants = /@variant/;
const runsVariants = process.env.VARIANTS !== undefined;

// Every file has its own server, so files can run in parallel. Rides run in real time, which the time limits allow for.
export default defineConfig({
  testDir: "tests",
  ...(runsVariants ? { grep: variants } : { grepInvert: variants }),
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  // No traces: recording them delays the pages by more than the accepted difference between starts.
  use: { launchOptions, screenshot: "only-on-failure", actionTimeout: 15_000 },
});
