import { everySecond, readFit, seconds } from "../fixtures/fit.ts";
import { expect, test } from "../fixtures/test.ts";
import { halfMinute } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { Rider, expectSameSecond, rideTogether } from "../pages/rider.ts";

test("a rider who reloads resumes as the same rider at the second of the group, with the whole recording", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(halfMinute, ana, ben);
  const peer = await ana.ride.card("Ben").peer();
  await expect.poll(() => ben.ride.elapsed()).toBeGreaterThanOrEqual(6);

  await ben.page.reload();
  await expect(ben.ride.myRide).toBeVisible();
  await expectSameSecond(ana, ben);
  await expect(ben.ride.metric("power")).toHaveText(/^[1-9]/);
  expect(await ben.ride.card("Ben").peer()).toBe(peer);
  expect(await ana.ride.card("Ben").peer()).toBe(peer);
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(2);
  await ana.ride.card("Ben").expectLink("direct");
  await expectToChange(ana.ride.card("Ben").metric("power"));
  await expectToChange(ben.ride.card("Ana").metric("power"));

  await expect(ben.ride.summary).toBeVisible({ timeout: 30_000 });
  const fit = await readFit(await ben.ride.downloadFit());
  expect(Math.abs(fit.records.length - 30), "records of the whole ride").toBeLessThanOrEqual(1);
  expect(seconds(fit)).toEqual(everySecond(fit.records.length));
  const ridden = fit.records.filter((record) => (record.power ?? 0) > 0);
  expect(ridden.length, "seconds with power").toBeGreaterThan(24);
});

test("a rider whose page crashes loses at most five seconds of the recording", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(halfMinute, ana, ben);
  const { context } = ben;
  await expect.poll(() => ben.ride.elapsed(), { timeout: 20_000 }).toBeGreaterThanOrEqual(12);
  const ridden = await ben.ride.elapsed();
  const crashed = ben.page.waitForEvent("crash");
  const tools = await context.newCDPSession(ben.page);
  // The crashed page does not answer the command.
  tools.send("Page.crash").catch(() => {});
  await crashed;
  await ana.ride.card("Ben").expectLink("away", 3_000);

  const again = new Rider(await context.newPage(), "Ben", 250);
  await again.page.goto(ana.invitation);
  await again.page.getByRole("button", { name: "Go on as Ben" }).click();
  await expect(again.ride.myRide).toBeVisible();
  await expectSameSecond(ana, again);
  await expect(again.ride.summary).toBeVisible({ timeout: 30_000 });
  const fit = await readFit(await again.ride.downloadFit());
  const before = fit.records.slice(0, ridden).filter((record) => record.power !== undefined);
  expect(before.length, "seconds recorded before the crash").toBeGreaterThanOrEqual(ridden - 5);
});
