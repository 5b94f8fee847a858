import { Bots } from "../fixtures/bots.ts";
import { longRide } from "../fixtures/workouts.ts";
import { RiderCard, expectToChange } from "../pages/rider_card.ts";
import { expect, test } from "./test.ts";

test("Firefox and simulated riders see each other's numbers over direct links", async ({ newFirefoxRider }) => {
  const fox = await newFirefoxRider("Fox", 250);
  await fox.startRide();
  await fox.useSimulatedTrainer();
  const bots = await Bots.join(fox.invitation, 3);
  try {
    const riders = fox.ride.riders.getByRole("article");
    await expect(riders).toHaveCount(4);
    await fox.ride.share(longRide);
    await fox.ride.start.click();
    await fox.ride.expectRiding();
    const others = fox.ride.riders.locator('article:not([data-link="self"])');
    const cards = (await others.all()).map((article) => new RiderCard(article));
    expect(cards).toHaveLength(3);

    await test.step("Firefox shows the numbers of all, over direct links", async () => {
      for (const card of cards) await card.expectLink("direct", 60_000);
      await Promise.all(cards.map((card) => expectToChange(card.metric("power"), 15_000)));
    });

    await test.step("its messages reach them", async () => {
      await fox.chat.open();
      await fox.chat.say("Hello bots");
      await expect(fox.chat.message("Hello bots").marks).toContainText("delivered to 3 of 3");
    });

    await test.step("they leave on Ctrl-C", async () => {
      expect(await bots.stop()).toBe(0);
      await expect(riders).toHaveCount(1);
    });
  } finally {
    await bots.stop();
  }
});
