import { expect, test } from "../fixtures/test.ts";
import { halfMinute, longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, eachPair, expectSameSecond, rideTogether } from "../pages/rider.ts";

/** What browsers say of a server that is not there. */
const unreachable = /WebSocket connection to|ERR_CONNECTION|Failed to load resource/;

test("a server that crashes and comes back finds the same ride, with the same host", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  const all = [ana, ben, cem];
  await rideTogether(longRide, ana, ben, cem);
  await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  const peers = await each(all, (rider) => rider.ride.card(rider.name).peer());

  await test.step("without it, everybody rides on with everybody's numbers", async () => {
    await server.crash();
    await each(all, ({ page }) => expect(page.getByText(/Lost the server.*new riders cannot join/)).toBeVisible());
    await eachPair(all, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
    await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  });

  await test.step("the host still leads", async () => {
    await ana.ride.pause.click();
    await each(all, ({ ride }) => expect(ride.mine.getByText("Paused", { exact: true })).toBeVisible());
    await ana.ride.resume.click();
    await each(all, ({ ride }) => expect(ride.mine.getByText("Paused", { exact: true })).toBeHidden({ timeout: 15_000 }));
  });

  await test.step("when it is back, so is the ride, and somebody new can join", async () => {
    await server.startAgain();
    await each(all, ({ page }) => expect(page.getByText("Lost the server")).toBeHidden({ timeout: 40_000 }));
    expect(await each(all, (rider) => rider.ride.card(rider.name).peer())).toEqual(peers);
    await each(all, ({ ride }) => ride.card("Ana").expectRole("host"));
    await each(all, ({ ride }) => expect(ride.riders.getByRole("article")).toHaveCount(3));

    const dora = await enter("Dora", 180);
    await dora.accepts(ana.invitation);
    await expect(dora.ride.mine).toBeVisible();
    await expectSameSecond(ana, dora);
    await dora.ride.card("Ana").expectRole("host");
    await expectToChange(dora.ride.card("Ben").metric("power"));
  });
});

test("a server that is gone for good does not end the ride", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(halfMinute, ana, ben);
  await eachPair(both, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));

  await server.stop();
  await each(both, ({ page }) => expect(page.getByText("Lost the server")).toBeVisible());
  await eachPair(both, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  await each(both, ({ ride }) => expect(ride.summary).toBeVisible({ timeout: 40_000 }));
  await each(both, ({ ride }) => expect(ride.download).toBeEnabled());
  await each(both, ({ ride }) => expect(ride.figure("Duration")).toHaveText("0:30"));

  await server.startAgain();
});
