import { everySecond, readFit, seconds as secondsOf } from "../fixtures/fit.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { eachPair, rideTogether } from "../pages/rider.ts";
import { saveMeasurement } from "./fixtures/measurements.ts";
import { linkHistory, timeUntil } from "../fixtures/link_history.ts";
import { expect, test, type NewRider } from "./fixtures/test.ts";

/** Duration of each outage in milliseconds. */
const OUTAGE = 10_000;

/** Starts a ride of two riders with a direct link. */
async function rideDirectly(newRider: NewRider) {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana.rider, ben.rider);
  await eachPair([ana.rider, ben.rider], (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await eachPair([ana.rider, ben.rider], (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  const [anasId, bensId] = [await ben.rider.ride.card("Ana").peer(), await ana.rider.ride.card("Ben").peer()];
  return { ana: ana.rider, ben: ben.rider, bensSite: ben.site, anasId, bensId };
}

test("a rider without a network for 10 s rides on, sees stale numbers, and is back as the same rider within 5 s", async ({ newRider }) => {
  const { ana, ben, bensSite, anasId, bensId } = await rideDirectly(newRider);
  const before = await ben.ride.elapsed();
  const outage = Date.now();
  bensSite.unplug();

  await test.step("both riders see stale numbers of each other within 5 s", async () => {
    await Promise.all([
      expect(ben.ride.card("Ana").article).toHaveAttribute("data-stale", "true", { timeout: 6_000 }),
      expect(ana.ride.card("Ben").article).toHaveAttribute("data-stale", "true", { timeout: 6_000 }),
    ]);
    for (const [page, peer] of [[ben.page, anasId], [ana.page, bensId]] as const) {
      expect(timeUntil(await linkHistory(page, peer), outage, ({ fresh }) => !fresh)).toBeLessThan(5_000);
    }
  });

  await test.step("the own ride continues", async () => {
    await expectToChange(ben.ride.metric("power"));
    await ben.page.waitForTimeout(Math.max(0, outage + OUTAGE - Date.now()));
    const ridden = (await ben.ride.elapsed()) - before;
    expect(Math.abs(ridden - (Date.now() - outage) / 1_000), "seconds between wall clock and ride time").toBeLessThan(2);
  });

  const restored = Date.now();
  bensSite.plugIn();

  await test.step("both riders have fresh numbers within 5 s, in the same row as before", async () => {
    await Promise.all([
      expect(ben.ride.card("Ana").article).not.toHaveAttribute("data-stale", "true"),
      expect(ana.ride.card("Ben").article).not.toHaveAttribute("data-stale", "true"),
    ]);
    const back = Math.max(
      timeUntil(await linkHistory(ben.page, anasId), restored, ({ fresh }) => fresh),
      timeUntil(await linkHistory(ana.page, bensId), restored, ({ fresh }) => fresh),
    );
    saveMeasurement("no network for 10 s", "numbers back", back);
    expect(back).toBeLessThan(5_000);
    expect(await ana.ride.card("Ben").peer()).toBe(bensId);
    expect(await ben.ride.card("Ana").peer()).toBe(anasId);
    for (const { ride } of [ana, ben]) await expect(ride.riders.getByRole("article")).toHaveCount(2);
    await eachPair([ana, ben], (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("progress")));
  });

  await test.step("both riders are linked directly again", async () => {
    await eachPair([ana, ben], (watcher, other) => watcher.ride.card(other.name).expectLink("direct", 40_000));
    saveMeasurement("no network for 10 s", "direct again", timeUntil(await linkHistory(ana.page, bensId), restored, ({ link }) => link === "direct"));
  });

  await test.step("the recording has no gap", async () => {
    const seconds = await ben.ride.elapsed();
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await expect(ben.ride.summary).toBeVisible();
    const fit = await readFit(await ben.ride.downloadFit());
    expect(fit.records.length).toBeGreaterThanOrEqual(seconds);
    expect(secondsOf(fit)).toEqual(everySecond(fit.records.length));
  });
});

test("riders without UDP for 10 s exchange numbers over the relay, and link directly again", async ({ newRider }) => {
  const { ana, ben, bensSite, anasId, bensId } = await rideDirectly(newRider);
  const outage = Date.now();
  bensSite.impair("no-udp");
  await eachPair([ana, ben], (watcher, other) => watcher.ride.card(other.name).expectLink("relayed"));
  await ben.page.waitForTimeout(Math.max(0, outage + OUTAGE - Date.now()));
  const restored = Date.now();
  bensSite.recover();
  await eachPair([ana, ben], (watcher, other) => watcher.ride.card(other.name).expectLink("direct", 40_000));

  const histories = await Promise.all([linkHistory(ben.page, anasId), linkHistory(ana.page, bensId)]);
  const slower = (from: number, wanted: string) => Math.max(...histories.map((history) => timeUntil(history, from, ({ link }) => link === wanted)));
  const relayed = slower(outage, "relayed");
  saveMeasurement("no UDP for 10 s", "relayed after the outage", relayed);
  saveMeasurement("no UDP for 10 s", "numbers back", "not interrupted");
  saveMeasurement("no UDP for 10 s", "direct again", slower(restored, "direct"));
  expect(relayed, "milliseconds to the relay").toBeLessThan(2_500);
  const stale = histories.flat().filter(({ at, fresh }) => at > outage && !fresh);
  expect(stale, "moments with stale numbers").toEqual([]);
});
