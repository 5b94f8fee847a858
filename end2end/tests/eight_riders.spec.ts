import { countConnectedPairs } from "../fixtures/probes.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, eachPair, rideTogether, type Rider } from "../pages/rider.ts";

test("eight riders are all linked directly", async ({ newRider }) => {
  test.setTimeout(180_000);
  const names = ["Ana", "Ben", "Cem", "Dora", "Eva", "Finn", "Gil", "Hugo"];
  const riders: Rider[] = [];
  for (const [index, name] of names.entries()) riders.push(await newRider(name, 150 + 25 * index));
  await rideTogether(longRide, riders[0]!, ...riders.slice(1));
  await eachPair(riders, (watcher, other) => watcher.ride.card(other.name).expectLink("direct", 60_000));
  const links = async () => (await each(riders, (rider) => rider.page.evaluate(countConnectedPairs))).reduce((sum, count) => sum + count) / 2;
  await expect.poll(links, { message: "links" }).toBe(28);
  const last = riders.at(-1)!;
  for (const rider of riders.slice(0, -1)) await expectToChange(last.ride.card(rider.name).metric("power"), 15_000);
});
