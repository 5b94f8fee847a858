import { longRide } from "../fixtures/workouts.ts";
import { Panel } from "../pages/panel.ts";
import { each, eachPair, rideTogether, type Rider } from "../pages/rider.ts";
import { agesSeen } from "./fixtures/ages.ts";
import { measured } from "./fixtures/measured.ts";
import { notePauses, pauses } from "./fixtures/pauses.ts";
import { expect, test } from "./fixtures/test.ts";

/** In percent, of the packets that each rider gets, and of those that each sends: between two riders it is 19 %. */
const LOSS = 10;
/** In milliseconds. */
const FOR = 60_000;

test("with 10 % loss for a minute numbers stay young, and a pause and a resume arrive everywhere once", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  const riders = [ana.rider, ben.rider, cem.rider];
  const host = ana.rider;
  const others = [ben.rider, cem.rider];
  await rideTogether(longRide, host, ...others);
  await eachPair(riders, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await each(riders, ({ page }) => page.evaluate(notePauses));
  const panels = others.map(({ page }) => new Panel(page));
  await Promise.all(panels.map((panel) => panel.open()));

  const places = [ana, ben, cem].map(({ place }) => place);
  for (const place of places) place.suffer({ loss: LOSS });
  const seen = Promise.all(others.map(({ page }) => agesSeen(page, FOR)));

  await test.step("the host pauses and resumes", async () => {
    await host.ride.pause.click();
    await expectPauses(riders, { begun: 1, ended: 0 });
    await host.ride.resume.click();
    await expectPauses(riders, { begun: 1, ended: 1 });
  });

  await test.step("p95 of the numbers' age is under 2 s", async () => {
    const ages = (await seen).flat().sort((one, other) => one - other);
    for (const place of places) expect(place.dropped(), "packets lost").toBeGreaterThan(20);
    expect(ages.length, "ages seen").toBeGreaterThan(100);
    const p95 = ages[Math.floor(ages.length * 0.95)]!;
    measured("10 % loss for a minute", "age of the numbers, p50", ages[Math.floor(ages.length / 2)]! * 1_000);
    measured("10 % loss for a minute", "age of the numbers, p95", p95 * 1_000);
    expect(p95, "seconds").toBeLessThan(2);
  });

  await test.step("nobody paused twice, and all ride the same second", async () => {
    await expectPauses(riders, { begun: 1, ended: 1 });
    const elapsed = await each(riders, (rider) => rider.ride.elapsed());
    expect(Math.max(...elapsed) - Math.min(...elapsed)).toBeLessThanOrEqual(1);
  });
});

function expectPauses(riders: Rider[], wanted: { begun: number; ended: number }): Promise<unknown> {
  return each(riders, ({ page }) => expect.poll(() => pauses(page), { timeout: 15_000 }).toEqual(wanted));
}
