import { defineConfig } from "@playwright/test";
import base from "./playwright.config.ts";

// Chromium and Firefox ESR in one ride. Firefox is slow to start on a small machine, so one test runs at a time.
export default defineConfig(base, { testDir: "browsers", workers: 1, timeout: 180_000, expect: { timeout: 20_000 } });
