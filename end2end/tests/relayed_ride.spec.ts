import { everySecond, readFit, seconds } from "../fixtures/fit.ts";
import { withoutDirectLinks } from "../fixtures/probes.ts";
import { expect, test } from "../fixtures/test.ts";
import { quarterMinute } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, eachPair, rideTogether } from "../pages/rider.ts";

test("in browsers without WebRTC three riders see each other over the server, and finish with their files", async ({ enter, server }) => {
  const before = withoutDirectLinks;
  const [ana, ben, cem] = [
    await enter("Ana", 200, { before }),
    await enter("Ben", 250, { before }),
    await enter("Cem", 320, { before }),
  ];
  const all = [ana, ben, cem];
  await rideTogether(quarterMinute, ana, ben, cem);

  const starts = await each(all, (rider) => rider.page.evaluate(() => window.rideAppeared ?? NaN));
  expect(Math.max(...starts) - Math.min(...starts), "milliseconds from the first start to the last").toBeLessThan(100);

  const { relayedFrames } = await server.health();
  await eachPair(all, async (watcher, other) => {
    const card = watcher.ride.card(other.name);
    await card.expectLink("relayed");
    await expect(card.metric("target")).toHaveText(`${0.6 * other.ftp}`);
    await expectToChange(card.metric("power"));
    await expectToChange(card.metric("progress"));
  });
  expect((await server.health()).relayedFrames).toBeGreaterThan(relayedFrames);

  await each(all, ({ ride }) => expect(ride.summary).toBeVisible({ timeout: 20_000 }));
  for (const { ride } of all) {
    const fit = await readFit(await ride.downloadFit());
    expect(Math.abs(fit.records.length - 15)).toBeLessThanOrEqual(1);
    expect(seconds(fit)).toEqual(everySecond(fit.records.length));
  }
});

test("a rider without WebRTC and one with it ride together over the server", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  const ben = await enter("Ben", 250, { before: withoutDirectLinks });
  await ana.startsRide();
  await ben.accepts(ana.invitation);
  await ana.ride.card("Ben").expectLink("relayed");
  await ben.ride.card("Ana").expectLink("relayed");
});
