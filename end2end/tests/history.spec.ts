import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { each, rideTogether } from "../pages/rider.ts";

test("a rider who joins late sees the power history, including that of a rider who has left", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await rideTogether(longRide, ana, ben);
  await expect.poll(() => ana.ride.elapsed(), { timeout: 20_000 }).toBeGreaterThanOrEqual(11);
  await expect.poll(() => ana.ride.card("Ben").tracePoints()).toBeGreaterThanOrEqual(2);
  await ben.ride.leave.click();

  await cem.acceptInvitation(ana.invitation);
  await expect(cem.ride.myRide).toBeVisible();
  // Cem cannot have recorded these points: a point takes five seconds.
  await expect.poll(() => cem.ride.card("Ana").tracePoints(), { timeout: 4_500 }).toBeGreaterThanOrEqual(2);
  await cem.useSimulatedTrainer();
  await expect.poll(() => ana.ride.card("Cem").tracePoints(), { timeout: 15_000 }).toBeGreaterThanOrEqual(1);

  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await each([ana, cem], async ({ ride }) => {
    await expect(ride.chart).toBeVisible();
    await expect(ride.chartRiders.getByRole("listitem")).toHaveCount(3);
    await expect(ride.chartRiders.getByRole("listitem").filter({ hasText: "You" })).toContainText(/\d+\s*% FTP/);
    await expect(ride.chartRiders.getByRole("listitem").filter({ hasText: "Ben" })).toContainText(/\d+\s*% FTP/);
  });
});

test("the chart of the summary fits on a phone", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
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
