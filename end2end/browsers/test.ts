import { fileURLToPath } from "node:url";
import { firefox, type Browser } from "@playwright/test";
import { expect, test as base, type NewRider } from "../fixtures/test.ts";
import { Rider } from "../pages/rider.ts";

const executablePath = fileURLToPath(new URL("firefox_esr.mjs", import.meta.url));

/** Playwright adds a style for its screenshot when a context is closed, which the content security policy rejects. */
const screenshotStyle = /YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT\+SmwNZWA=/;

/** A test in which some riders use Firefox ESR; `newRider` opens Chromium. */
export const test = base.extend<{ newFirefoxRider: NewRider }, { firefoxBrowser: Browser }>({
  firefoxBrowser: [
    async ({}, use) => {
      // The channel makes Playwright speak WebDriver BiDi instead of the protocol of its own build of Firefox.
      const browser = await firefox.launch({
        executablePath,
        channel: "moz-firefox",
        firefoxUserPrefs: { "media.navigator.streams.fake": true, "media.navigator.permission.disabled": true },
      });
      await use(browser);
      await browser.close();
    },
    { scope: "worker" },
  ],

  newFirefoxRider: async ({ firefoxBrowser, baseURL, browserErrors }, use) => {
    const contexts: (() => Promise<void>)[] = [];
    await use(async (name, ftp, { before, ...options } = {}) => {
      const context = await firefoxBrowser.newContext({ baseURL, ...options });
      contexts.push(() => context.close());
      browserErrors.watch(context, name);
      browserErrors.allow(screenshotStyle);
      if (before) await context.addInitScript(before);
      return new Rider(await context.newPage(), name, ftp);
    });
    await Promise.all(contexts.map((close) => close()));
  },
});

export { expect };
