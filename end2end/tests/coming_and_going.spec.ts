import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { expectSameSecond, gather, rideTogether } from "../pages/rider.ts";

const graceMs = 3_000;
test.use({ settings: { GRUPPETTO_GRACE_MS: `${graceMs}` } });

/** What still counts as at once on a busy machine. */
const atOnce = { timeout: 1_500 };

test("a rider who closes the tab is away within three seconds, and off the lists after the grace", async ({ enter, server }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await ana.ride.card("Ben").expectLink("direct");

  await ben.page.close();
  await ana.ride.card("Ben").expectLink("away", 3_000);
  await expect(ana.page.getByText("Ben did not come back.")).toBeVisible({ timeout: graceMs + 2_000 });
  await expect(ana.ride.card("Ben").article).toBeHidden();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(1);
  await expect.poll(async () => (await server.health()).riders).toBe(1);
});

test("a rider who leaves is off the lists at once, in the lobby and on the road", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await gather(ana, ben, cem);
  await cem.ride.leave.click();
  await expect(ana.ride.card("Cem").article).toBeHidden(atOnce);
  await expect(ben.ride.card("Cem").article).toBeHidden(atOnce);
  await expect(cem.ride.riders).toBeHidden();

  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await ben.ride.ridesSoon();
  await expect(ben.ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
  await ben.ride.leave.click();
  await expect(ana.ride.card("Ben").article).toBeHidden(atOnce);
  await expect(ben.ride.summary).toBeVisible();
  await expect(ben.ride.download).toBeEnabled();
});

test("a rider who comes mid-ride rides along at the group's second", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await rideTogether(longRide, ana);
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(5);

  await ben.accepts(ana.invitation);
  await expect(ben.ride.mine).toBeVisible();
  await expectSameSecond(ana, ben);
  await expect(ben.ride.metric("target")).toHaveText("150");
  // The numbers that were there before are shown without waiting for new ones.
  await expect(ben.ride.card("Ana").metric("target")).toHaveText("120", atOnce);
  await ben.ridesSimulated();
  await expectToChange(ana.ride.card("Ben").metric("power"));
  await expectToChange(ben.ride.card("Ana").metric("power"));
});

test("a newcomer is sent everybody's last numbers, even by a rider whose page stands still", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await ben.page.clock.install();
  await rideTogether(longRide, ana, ben);
  await expect(ben.ride.metric("power")).toHaveText(/^[1-9]/);
  // From here on nothing that Ben sends is sent because it is time for it.
  await ben.page.clock.pauseAt(Date.now() + 1_000);

  await cem.accepts(ana.invitation);
  await expect(cem.ride.card("Ben").metric("target")).toHaveText("150");
  await expect(cem.ride.card("Ben").metric("power")).toHaveText(/^[1-9]/);
});

test("when the host leaves, the next rider is host at once and leads on", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await rideTogether(longRide, ana, ben, cem);
  await expect(ben.ride.pause).toBeHidden();
  await ana.ride.leave.click();

  await cem.ride.card("Ben").expectRole("host", atOnce.timeout);
  await ben.ride.pause.click();
  await expect(cem.ride.mine.getByText("Paused", { exact: true })).toBeVisible();
});

test("when the host closes the tab, the next rider is host after the grace and leads on", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await rideTogether(longRide, ana, ben, cem);
  await ana.page.close();

  await cem.ride.card("Ben").expectRole("host", graceMs + 3_000);
  await ben.ride.pause.click();
  await expect(cem.ride.mine.getByText("Paused", { exact: true })).toBeVisible();
});

test("everybody's numbers are brought up to date about every second", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
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
  // The simulator's power wavers by 3 %, so now and then it is the same number twice.
  expect(changes).toBeGreaterThanOrEqual(7);
});
