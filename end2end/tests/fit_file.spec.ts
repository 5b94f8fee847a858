import { readFile } from "node:fs/promises";
import { readFit } from "../fixtures/fit.ts";
import { expectFitReadersAgree } from "../fixtures/readers.ts";
import { addSleep } from "../fixtures/storage_faults.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { rideTogether, type Rider } from "../pages/rider.ts";

/** Seconds by which Kathmandu is ahead of UTC. */
const OFFSET = 20_700;

test("after a night asleep the file has the local date and time, with a gap instead of empty seconds", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { timezoneId: "Asia/Kathmandu", before: addSleep });
  await rideTogether(longRide, ana);
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(4);
  await ana.page.evaluate(() => window.sleepFor(8 * 3_600_000));
  const before = await ana.ride.elapsed();
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(before + 3);
  await end(ana);

  const download = await ana.ride.downloadFit();
  const fit = await readFit(download);
  const started = new Date(Number(fit.session.startTime) + OFFSET * 1_000);
  expect(download.suggestedFilename()).toContain(started.toISOString().slice(0, 10));
  const ended = Number(fit.activity.timestamp);
  expect(Math.abs(ended - (Date.now() + 8 * 3_600_000)), "milliseconds from the end of the ride").toBeLessThan(10_000);
  expect(localSeconds(fit.activity.localTimestamp) - ended / 1_000).toBe(OFFSET);
  expect(fit.records.length).toBeLessThan(30);
  expect(fit.session.totalTimerTime).toBe(fit.records.length);
  expect(fit.session.totalElapsedTime).toBeGreaterThan(8 * 3_600);
  const totals = await expectFitReadersAgree(await readFile(await download.path()));
  expect(totals.records, "records by all readers").toBe(fit.records.length);
});

test("a rider chooses the kind of ride of the file, and the choice is kept", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideTogether(longRide, ana);
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(2);
  await end(ana);
  const kind = ana.ride.summary.getByLabel("Save as");
  await expect(kind).toHaveValue("indoor");
  await kind.selectOption("Virtual ride");
  expect((await readFit(await ana.ride.downloadFit())).session.subSport).toBe("virtualActivity");
  await ana.page.reload();
  await expect(kind).toHaveValue("virtual");
  expect((await readFit(await ana.ride.downloadFit())).session.subSport).toBe("virtualActivity");
});

async function end({ ride }: Rider): Promise<void> {
  await ride.end.click();
  await ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await expect(ride.summary).toBeVisible();
}

/** Unix time of a local time, which FIT counts in seconds from the last day of 1989. */
function localSeconds(local: unknown): number {
  return Number(local) + 631_065_600;
}
