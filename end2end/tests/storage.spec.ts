import { readFit } from "../fixtures/fit.ts";
import { addStorageSwitch, removeDatabase, spoilLocalStorage } from "../fixtures/storage_faults.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide, quarterMinute } from "../fixtures/workouts.ts";
import { rideTogether, type Rider } from "../pages/rider.ts";

for (const fault of ["throws", "aborts"] as const) {
  test(`a recording survives a database that ${fault} for a while, and the rider is told meanwhile`, async ({ newRider }) => {
    const ana = await newRider("Ana", 200, { before: addStorageSwitch });
    await rideTogether(longRide, ana);
    await expect(warning(ana)).toBeHidden();
    await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(3);

    await ana.page.evaluate((fault) => void (window.storageFaults.database = fault), fault);
    await expect(warning(ana)).toBeVisible();
    await expect.poll(() => ana.ride.elapsed(), { timeout: 15_000 }).toBeGreaterThanOrEqual(9);
    await expect(warning(ana)).toBeVisible();
    await ana.page.evaluate(() => void (window.storageFaults.database = "works"));
    await expect(warning(ana)).toBeHidden({ timeout: 15_000 });

    const ridden = await ana.ride.elapsed();
    await ana.page.reload();
    await ana.ride.expectRiding();
    await ana.ride.leave.click();
    const fit = await readFit(await ana.ride.downloadFit());
    const measured = fit.records.slice(0, ridden).filter((record) => record.power !== undefined);
    expect(measured.length, "seconds of the ride before the reload").toBeGreaterThanOrEqual(ridden - 3);
  });
}

test("a rider whose browser has no database is told so in the lobby, and can ride and download", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: removeDatabase });
  await ana.startRide();
  await expect(warning(ana)).toBeVisible();
  await ana.useSimulatedTrainer();
  await ana.ride.share(quarterMinute);
  await ana.ride.start.click();
  await expect(ana.ride.summary).toBeVisible({ timeout: 40_000 });
  const fit = await readFit(await ana.ride.downloadFit());
  expect(fit.records.length).toBeGreaterThanOrEqual(14);
});

test("a full local storage with garbage in it does not break the ride", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: spoilLocalStorage });
  await rideTogether(longRide, ana);
  await expect(warning(ana)).toBeHidden();
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(2);
  await ana.ride.leave.click();
  await readFit(await ana.ride.downloadFit());
});

test("a rider alone whose local storage is full resumes the ride after a reload", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: spoilLocalStorage });
  await rideTogether(longRide, ana);
  const peer = await ana.ride.card("Ana").peer();
  await ana.page.reload();
  await ana.ride.expectRiding();
  expect(await ana.ride.card("Ana").peer()).toBe(peer);
});

function warning(rider: Rider) {
  return rider.ride.statusRegion.locator('[data-problem="recording"]');
}
