import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { rideTogether } from "../pages/rider.ts";

const graceMs = 3_000;
test.use({ settings: { GRUPPETTO_GRACE_MS: `${graceMs}` } });

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
