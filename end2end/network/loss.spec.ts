import { longRide } from "../fixtures/workouts.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { each, eachPair, rideTogether, type Rider } from "../pages/rider.ts";
import { sampleDataAges } from "./fixtures/data_ages.ts";
import { saveMeasurement } from "./fixtures/measurements.ts";
import { countPauses, pauses } from "./fixtures/pauses.ts";
import { expect, test } from "./fixtures/test.ts";

/** Packet loss in percent, for received and for sent packets of each rider: between two riders 19 % are lost. */
const LOSS = 10;
/** Duration of the loss in milliseconds. */
const DURATION = 60_000;

test("with 10 % packet loss for a minute numbers stay fresh, and a pause and a resume take effect once for all riders", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  const riders = [ana.rider, ben.rider, cem.rider];
  const host = ana.rider;
  const others = [ben.rider, cem.rider];
  await rideTogether(longRide, host, ...others);
  await eachPair(riders, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await each(riders, ({ page }) => page.evaluate(countPauses));
  const panels = others.map(({ page }) => new ConnectionPanel(page));
  await Promise.all(panels.map((panel) => panel.open()));

  const sites = [ana, ben, cem].map(({ site }) => site);
  for (const site of sites) site.impair({ loss: LOSS });
  const samples = Promise.all(others.map(({ page }) => sampleDataAges(page, DURATION)));

  await test.step("the host pauses and resumes", async () => {
    await host.ride.pause.click();
    await expectPauses(riders, { begun: 1, ended: 0 });
    await host.ride.resumeRide();
    await expectPauses(riders, { begun: 1, ended: 1 });
  });

  await test.step("the 95th percentile of the data age is under 2 s", async () => {
    const ages = (await samples).flat().sort((one, other) => one - other);
    for (const site of sites) expect(site.dropped(), "packets lost").toBeGreaterThan(20);
    expect(ages.length, "samples").toBeGreaterThan(100);
    const p95 = ages[Math.floor(ages.length * 0.95)]!;
    saveMeasurement("10 % loss for a minute", "age of numbers, p50", ages[Math.floor(ages.length / 2)]! * 1_000);
    saveMeasurement("10 % loss for a minute", "age of numbers, p95", p95 * 1_000);
    expect(p95, "seconds").toBeLessThan(2);
  });

  await test.step("no rider paused twice, and all riders are at the same second", async () => {
    await expectPauses(riders, { begun: 1, ended: 1 });
    const elapsed = await each(riders, (rider) => rider.ride.elapsed());
    expect(Math.max(...elapsed) - Math.min(...elapsed)).toBeLessThanOrEqual(1);
  });
});

function expectPauses(riders: Rider[], wanted: { begun: number; ended: number }): Promise<unknown> {
  return each(riders, ({ page }) => expect.poll(() => pauses(page), { timeout: 15_000 }).toEqual(wanted));
}
