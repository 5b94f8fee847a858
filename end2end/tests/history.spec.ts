import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { each, rideTogether } from "../pages/rider.ts";

test("a late rider sees what was ridden before they came, even by somebody who has left", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await rideTogether(longRide, ana, ben);
  await expect.poll(() => ana.ride.elapsed(), { timeout: 20_000 }).toBeGreaterThanOrEqual(11);
  await expect.poll(() => ana.ride.card("Ben").traced()).toBeGreaterThanOrEqual(2);
  await ben.ride.leave.click();

  await cem.accepts(ana.invitation);
  await expect(cem.ride.mine).toBeVisible();
  // Nothing of this can Cem have measured: five seconds make one point.
  await expect.poll(() => cem.ride.card("Ana").traced(), { timeout: 4_500 }).toBeGreaterThanOrEqual(2);
  await cem.ridesSimulated();
  await expect.poll(() => ana.ride.card("Cem").traced(), { timeout: 15_000 }).toBeGreaterThanOrEqual(1);

  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await each([ana, cem], async ({ ride }) => {
    await expect(ride.chart).toBeVisible();
    await expect(ride.chartRiders.getByRole("listitem")).toHaveCount(3);
    await expect(ride.chartRiders.getByRole("listitem").filter({ hasText: "You" })).toContainText(/\d+\s*% FTP/);
    await expect(ride.chartRiders.getByRole("listitem").filter({ hasText: "Ben" })).toContainText(/\d+\s*% FTP/);
  });
});

test("a rider who reloads has the whole picture at the end, their own line too", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await expect.poll(() => ana.ride.elapsed(), { timeout: 20_000 }).toBeGreaterThanOrEqual(11);
  await ben.page.reload();
  await expect(ben.ride.mine).toBeVisible();
  await expect.poll(() => ben.ride.card("Ana").traced(), { timeout: 4_500 }).toBeGreaterThanOrEqual(2);
  await expect.poll(() => ben.ride.card("Ben").traced()).toBeGreaterThanOrEqual(2);
});

test("the picture at the end fits a phone", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  await rideTogether(longRide, ana);
  await expect.poll(() => ana.ride.elapsed(), { timeout: 20_000 }).toBeGreaterThanOrEqual(6);
  await ana.page.setViewportSize({ width: 390, height: 844 });
  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await expect(ana.ride.chart).toBeVisible();
  const box = await ana.ride.chart.boundingBox();
  expect(box!.width).toBeGreaterThan(280);
  expect(await ana.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});
