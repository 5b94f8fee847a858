import { everySecond, readFit, seconds } from "../fixtures/fit.ts";
import { disableWebRtc } from "../fixtures/probes.ts";
import { expect, test } from "../fixtures/test.ts";
import { quarterMinute } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, eachPair, expectSameSecond, rideTogether } from "../pages/rider.ts";

test("three riders without WebRTC ride over the relay and download valid FIT files", async ({ newRider, server }) => {
  const before = disableWebRtc;
  const [ana, ben, cem] = [
    await newRider("Ana", 200, { before }),
    await newRider("Ben", 250, { before }),
    await newRider("Cem", 320, { before }),
  ];
  const all = [ana, ben, cem];
  await rideTogether(quarterMinute, ana, ben, cem);
  await expectSameSecond(ana, ben);
  await expectSameSecond(ana, cem);

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
