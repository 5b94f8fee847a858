import { Bots } from "../fixtures/bots.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { RiderCard, expectToChange } from "../pages/rider_card.ts";
import { each, gather, type Rider } from "../pages/rider.ts";

/** Direct links of each of the first 16 riders of a ride, who are linked among themselves. */
const DIRECT_LINKS = 15;

/** Cards of all riders but the two with pages. */
async function botCards(rider: Rider): Promise<RiderCard[]> {
  const articles = await rider.ride.riders.getByRole("article").all();
  const names = await Promise.all(articles.map((article) => article.getAttribute("aria-label")));
  return articles.filter((_, at) => names[at] !== "Ana" && names[at] !== "Ben").map((article) => new RiderCard(article));
}

test("two riders and six simulated ones see each other's numbers over direct links", async ({ newRider }) => {
  test.setTimeout(180_000);
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const pages = [ana, ben];
  await gather(ana, ben);
  const bots = await Bots.join(ana.invitation, 6);
  try {
    await each(pages, (rider) => expect(rider.ride.riders.getByRole("article")).toHaveCount(8));
    await ana.ride.share(longRide);
    await ana.ride.start.click();
    await each(pages, (rider) => rider.ride.expectRiding());
    for (const rider of pages) {
      const cards = await botCards(rider);
      expect(cards).toHaveLength(6);
      for (const card of cards) await card.expectLink("direct", 60_000);
      await Promise.all(cards.map((card) => expectToChange(card.metric("power"), 15_000)));
      await Promise.all(cards.map((card) => expect(card.metric("target")).toHaveText(/^[1-9]/)));
    }
    await test.step("messages reach them, and they write none", async () => {
      await ana.chat.open();
      await ana.chat.say("Hello bots");
      await expect(ana.chat.message("Hello bots").marks).toContainText("delivered to 7 of 7");
    });
    await test.step("they leave on Ctrl-C", async () => {
      expect(await bots.stop()).toBe(0);
      await each(pages, (rider) => expect(rider.ride.riders.getByRole("article")).toHaveCount(2));
    });
  } finally {
    await bots.stop();
  }
});

test("two riders and 24 simulated ones see each other's numbers", { tag: "@variant" }, async ({ newRider }) => {
  test.setTimeout(300_000);
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const pages = [ana, ben];
  await gather(ana, ben);
  const bots = await Bots.join(ana.invitation, 24);
  try {
    await each(pages, (rider) => expect(rider.ride.riders.getByRole("article")).toHaveCount(26, { timeout: 30_000 }));
    await ana.ride.share(longRide);
    await ana.ride.start.click();
    await each(pages, (rider) => rider.ride.expectRiding());
    await each(pages, async (rider) => {
      const cards = await botCards(rider);
      expect(cards).toHaveLength(24);
      for (const card of cards) await expect(card.metric("target")).toHaveText(/^[1-9]/, { timeout: 30_000 });
      await Promise.all(cards.map((card) => expectToChange(card.metric("power"), 30_000)));
      // On a busy machine, single numbers are late.
      for (const card of cards) await expect(card.article).not.toHaveAttribute("data-stale", "true", { timeout: 30_000 });
    });
    await test.step("the first 16 riders have direct links, and the server relays the others", async () => {
      const linked = (rider: Rider, state: string) => rider.ride.riders.locator(`article[data-link="${state}"]`);
      for (const rider of pages) {
        await expect(linked(rider, "direct")).toHaveCount(DIRECT_LINKS, { timeout: 90_000 });
        await expect(linked(rider, "relayed")).toHaveCount(25 - DIRECT_LINKS);
      }
    });
    await test.step("messages reach all of them", async () => {
      await ana.chat.open();
      await ana.chat.say("Hello bots");
      await expect(ana.chat.message("Hello bots").marks).toContainText("delivered to 25 of 25", { timeout: 30_000 });
    });
    expect(await bots.stop()).toBe(0);
    await each(pages, (rider) => expect(rider.ride.riders.getByRole("article")).toHaveCount(2));
  } finally {
    await bots.stop();
  }
});

test("simulated riders without direct links are relayed", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await gather(ana);
  const bots = await Bots.join(ana.invitation, 2, "--relay-only");
  try {
    await expect(ana.ride.riders.getByRole("article")).toHaveCount(3);
    await ana.ride.share(longRide);
    await ana.ride.start.click();
    await ana.ride.expectRiding();
    for (const card of await botCards(ana)) {
      await card.expectLink("relayed");
      await expectToChange(card.metric("power"), 15_000);
    }
  } finally {
    await bots.stop();
  }
});

test("an unknown ride and a server that is not there are said in a sentence", async ({ server }) => {
  const unknown = await Bots.refused(`${server.origin}/ride/brave-otter-0042`);
  expect(unknown.code).toBe(1);
  expect(unknown.output).toContain("There is no ride with this code");
  const nowhere = await Bots.refused("http://127.0.0.1:9/ride/brave-otter-0042");
  expect(nowhere.code).toBe(1);
  expect(nowhere.output).toContain("The server cannot be reached");
});
