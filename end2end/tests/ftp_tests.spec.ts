import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test.ts";
import { RidePage } from "../pages/ride_page.ts";

/** Takes the workers away, whose timers would not follow the clock of the test. */
const withoutWorkers = () => void Object.defineProperty(window, "Worker", { value: undefined });

/**
 * Makes the ids of the test's clock as small as those of a browser. They begin at 10^12, which does not fit into the 32
 * bits of the app's module, so that it could clear none of its timers. Runs in the page.
 */
function makeTimerIdsSmall(): void {
  const { setTimeout, clearTimeout } = window;
  const first = 1e12;
  window.setTimeout = ((...parameters: Parameters<typeof setTimeout>) => Number(setTimeout(...parameters)) - first) as typeof setTimeout;
  window.clearTimeout = (id) => clearTimeout(Number(id) + first);
}

/** Rides a built-in workout to its end alone, in fast time, and returns the FTP that is offered. */
async function rideToTheEnd(page: Page, name: string, minutes: number): Promise<number> {
  const ride = new RidePage(page);
  await ride.choose.click();
  await ride.chooser.getByRole("button", { name: `Ride ${name}`, exact: true }).click();
  await expect(ride.start).toBeEnabled();
  await page.clock.install();
  await page.evaluate(makeTimerIdsSmall);
  await ride.start.click();
  await page.clock.runFor(15_000);
  await ride.expectRiding();
  for (let ridden = 0; ridden < minutes; ridden++) await page.clock.runFor(60_000);
  await expect(ride.summary).toBeVisible();
  return Number((await ride.summary.getByRole("button", { name: /^Use \d+ W$/ }).innerText()).match(/\d+/)![0]);
}

for (const [name, minutes, least, most] of [
  // The simulated rider holds each step to the end: three quarters of the last minute.
  ["Ramp test", 40, 200, 400],
  // In the twenty minutes without a target the simulated rider holds 60 % of FTP.
  ["20-minute test", 70, 100, 180],
] as const) {
  test(`the ${name.toLowerCase()} is ridden to its end, and the rider takes the new FTP or not`, async ({ newRider }) => {
    test.setTimeout(240_000);
    const ana = await newRider("Ana", 200, { before: withoutWorkers });
    const { page } = ana;
    for (const accepts of [false, true]) {
      await ana.home.open();
      await expect(page.getByLabel("FTP")).toHaveValue("200");
      await page.getByRole("button", { name: "Try a simulated ride" }).click();
      const measured = await rideToTheEnd(page, name, minutes);
      expect(measured).toBeGreaterThan(least);
      expect(measured).toBeLessThan(most);
      const answer = accepts ? `Use ${measured} W` : "Keep my FTP";
      await page.getByRole("button", { name: answer }).click();
      await page.clock.runFor(1_000);
      await ana.home.open();
      await expect(page.getByLabel("FTP")).toHaveValue(String(accepts ? measured : 200));
    }
  });
}
