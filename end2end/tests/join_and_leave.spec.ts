import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { expectSameSecond, gather, rideTogether } from "../pages/rider.ts";

const graceMs = 3_000;
test.use({ settings: { GRUPPETTO_GRACE_MS: `${graceMs}` } });

/** Time limit for an immediate effect on a busy machine. */
const immediately = { timeout: 1_500 };

test("a rider who closes the tab is away within three seconds and removed from the lists after the grace period", async ({ newRider, server }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await ana.ride.card("Ben").expectLink("direct");

  await ben.page.close();
  await ana.ride.card("Ben").expectLink("away", 3_000);
  await expect(ana.page.getByText("Ben did not come back.")).toBeVisible({ timeout: graceMs + 2_000 });
  await expect(ana.ride.card("Ben").article).toBeHidden();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(1);
  await expect.poll(async () => (await server.health()).riders).toBe(1);
});

test("a rider who leaves is removed from the lists immediately, in the lobby and during the ride", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await gather(ana, ben, cem);
  await cem.ride.leave.click();
  await expect(ana.ride.card("Cem").article).toBeHidden(immediately);
  await expect(ben.ride.card("Cem").article).toBeHidden(immediately);
  await expect(cem.ride.riders).toBeHidden();

  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await ben.ride.expectRiding();
  await expect(ben.ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
  await ben.ride.leave.click();
  await expect(ana.ride.card("Ben").article).toBeHidden(immediately);
  await expect(ben.ride.summary).toBeVisible();
  await expect(ben.ride.download).toBeEnabled();
});

test("a rider who joins during a ride is at the same second as the group", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana);
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(5);

  await ben.acceptInvitation(ana.invitation);
  await expect(ben.ride.myRide).toBeVisible();
  await expectSameSecond(ana, ben);
  await expect(ben.ride.metric("target")).toHaveText("150");
  // The newest numbers of other riders are shown without waiting for the next ones.
  await expect(ben.ride.card("Ana").metric("target")).toHaveText("120", immediately);
  await ben.useSimulatedTrainer();
  await expectToChange(ana.ride.card("Ben").metric("power"));
  await expectToChange(ben.ride.card("Ana").metric("power"));
});

test("a newcomer receives the last numbers of all riders, even of a rider whose timers are stopped", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await ben.page.clock.install();
  await rideTogether(longRide, ana, ben);
  await expect(ben.ride.metric("power")).toHaveText(/^[1-9]/);
  // From here on the timers of Ben's page do not fire.
  await ben.page.clock.pauseAt(Date.now() + 1_000);

  await cem.acceptInvitation(ana.invitation);
  await expect(cem.ride.card("Ben").metric("target")).toHaveText("150");
  await expect(cem.ride.card("Ben").metric("power")).toHaveText(/^[1-9]/);
});

test("when the host leaves, the next rider becomes host immediately and can pause the ride", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await rideTogether(longRide, ana, ben, cem);
  await expect(ben.ride.pause).toBeHidden();
  await ana.ride.leave.click();

  await cem.ride.card("Ben").expectRole("host", immediately.timeout);
  await ben.ride.pause.click();
  await expect(cem.ride.myRide.getByText("Paused", { exact: true })).toBeVisible();
});

test("when the host closes the tab, the next rider becomes host after the grace period and can pause the ride", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await rideTogether(longRide, ana, ben, cem);
  await ana.page.close();

  await cem.ride.card("Ben").expectRole("host", graceMs + 3_000);
  await ben.ride.pause.click();
  await expect(cem.ride.myRide.getByText("Paused", { exact: true })).toBeVisible();
});

test("the numbers of other riders are updated about every second", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await ana.ride.card("Ben").expectLink("direct");
  const changes = await ana.ride
    .card("Ben")
    .metric("power")
    .evaluate(
      (metric) =>
        new Promise<number>((resolve) => {
          const texts: (string | null)[] = [metric.textContent];
          const watcher = new MutationObserver(() => {
            if (texts.at(-1) !== metric.textContent) texts.push(metric.textContent);
          });
          watcher.observe(metric, { characterData: true, childList: true, subtree: true });
          setTimeout(() => {
            watcher.disconnect();
            resolve(texts.length - 1);
          }, 10_000);
        }),
    );
  // The simulated power varies by 3 %, so consecutive values can be equal.
  expect(changes).toBeGreaterThanOrEqual(7);
});
