import { everySecond, readFit, seconds as secondsOf } from "../fixtures/fit.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { eachPair, rideTogether } from "../pages/rider.ts";
import { measured } from "./fixtures/measured.ts";
import { sightings, until } from "../fixtures/sightings.ts";
import { expect, test, type Enter } from "./fixtures/test.ts";

/** How long each cut lasts, in milliseconds. */
const CUT = 10_000;

/** Two riders on their way, directly linked. */
async function rideDirectly(enter: Enter) {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await rideTogether(longRide, ana.rider, ben.rider);
  await eachPair([ana.rider, ben.rider], (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await eachPair([ana.rider, ben.rider], (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  const [anasId, bensId] = [await ben.rider.ride.card("Ana").peer(), await ana.rider.ride.card("Ben").peer()];
  return { ana: ana.rider, ben: ben.rider, bensPlace: ben.place, anasId, bensId };
}

test("a rider without any network for 10 s rides on, sees that numbers are old, and is back as the same rider within 5 s", async ({ enter }) => {
  const { ana, ben, bensPlace, anasId, bensId } = await rideDirectly(enter);
  const before = await ben.ride.elapsed();
  const cut = Date.now();
  bensPlace.unplug();

  await test.step("both see within 5 s that the other's numbers are old", async () => {
    await Promise.all([
      expect(ben.ride.card("Ana").article).toHaveAttribute("data-stale", "true", { timeout: 6_000 }),
      expect(ana.ride.card("Ben").article).toHaveAttribute("data-stale", "true", { timeout: 6_000 }),
    ]);
    for (const [page, peer] of [[ben.page, anasId], [ana.page, bensId]] as const) {
      expect(until(await sightings(page, peer), cut, ({ fresh }) => !fresh)).toBeLessThan(5_000);
    }
  });

  await test.step("the own ride goes on", async () => {
    await expectToChange(ben.ride.metric("power"));
    await ben.page.waitForTimeout(Math.max(0, cut + CUT - Date.now()));
    const ridden = (await ben.ride.elapsed()) - before;
    expect(Math.abs(ridden - (Date.now() - cut) / 1_000), "seconds between the clock and the ride's").toBeLessThan(2);
  });

  const healed = Date.now();
  bensPlace.plugIn();

  await test.step("both have fresh numbers within 5 s, of the same rider, on one row", async () => {
    await Promise.all([
      expect(ben.ride.card("Ana").article).not.toHaveAttribute("data-stale", "true"),
      expect(ana.ride.card("Ben").article).not.toHaveAttribute("data-stale", "true"),
    ]);
    const back = Math.max(
      until(await sightings(ben.page, anasId), healed, ({ fresh }) => fresh),
      until(await sightings(ana.page, bensId), healed, ({ fresh }) => fresh),
    );
    measured("everything off for 10 s", "numbers back", back);
    expect(back).toBeLessThan(5_000);
    expect(await ana.ride.card("Ben").peer()).toBe(bensId);
    expect(await ben.ride.card("Ana").peer()).toBe(anasId);
    for (const { ride } of [ana, ben]) await expect(ride.riders.getByRole("article")).toHaveCount(2);
    await eachPair([ana, ben], (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("progress")));
  });

  await test.step("and are linked directly again", async () => {
    await eachPair([ana, ben], (watcher, other) => watcher.ride.card(other.name).expectLink("direct", 40_000));
    measured("everything off for 10 s", "direct again", until(await sightings(ana.page, bensId), healed, ({ link }) => link === "direct"));
  });

  await test.step("the recording has no hole", async () => {
    const seconds = await ben.ride.elapsed();
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await expect(ben.ride.summary).toBeVisible();
    const fit = await readFit(await ben.ride.downloadFit());
    expect(fit.records.length).toBeGreaterThanOrEqual(seconds);
    expect(secondsOf(fit)).toEqual(everySecond(fit.records.length));
  });
});

test("riders whose UDP stops for 10 s keep each other's numbers over the server, and link directly again later", async ({ enter }) => {
  const { ana, ben, bensPlace, anasId, bensId } = await rideDirectly(enter);
  const cut = Date.now();
  bensPlace.suffer("no-udp");
  await eachPair([ana, ben], (watcher, other) => watcher.ride.card(other.name).expectLink("relayed"));
  await ben.page.waitForTimeout(Math.max(0, cut + CUT - Date.now()));
  const healed = Date.now();
  bensPlace.recover();
  await eachPair([ana, ben], (watcher, other) => watcher.ride.card(other.name).expectLink("direct", 40_000));

  const seen = await Promise.all([sightings(ben.page, anasId), sightings(ana.page, bensId)]);
  const slower = (from: number, wanted: string) => Math.max(...seen.map((one) => until(one, from, ({ link }) => link === wanted)));
  const relayed = slower(cut, "relayed");
  measured("UDP off for 10 s", "relayed after the cut", relayed);
  measured("UDP off for 10 s", "numbers back", "never gone");
  measured("UDP off for 10 s", "direct again", slower(healed, "direct"));
  expect(relayed, "milliseconds to the relay").toBeLessThan(2_500);
  const late = seen.flat().filter(({ at, fresh }) => at > cut && !fresh);
  expect(late, "moments with numbers older than 3 s").toEqual([]);
});
