import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectSameSecond, gather, rideTogether } from "../pages/rider.ts";

test("when the host's tab is closed in the countdown, the ride starts all the same and has a new host", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await gather(ana, ben, cem);
  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await expect(ben.ride.countdown).toBeVisible();
  await expect(cem.ride.countdown).toBeVisible();
  await ana.page.close();

  await cem.ride.card("Ben").expectRole("host", 8_000);
  await Promise.all([ben, cem].map((rider) => rider.ride.ridesSoon()));
  await expectSameSecond(ben, cem);
  await ben.ride.pause.click();
  await expect(cem.ride.mine.getByText("Paused", { exact: true })).toBeVisible();
});

test("a host who comes back may take the ride back", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  const invitation = ana.invitation;
  await ana.page.goto("about:blank");
  await ben.ride.card("Ben").expectRole("host", 8_000);
  await expect(ben.page.getByText("You are host now.")).toBeVisible();

  await ana.page.goto(invitation);
  const goOn = ana.page.getByRole("button", { name: "Go on as Ana" });
  await expect(ana.ride.mine.or(goOn)).toBeVisible();
  if (await goOn.isVisible()) await goOn.click();
  await expect(ana.ride.mine).toBeVisible();
  await ana.ride.card("Ben").expectRole("host");
  await ana.page.getByRole("button", { name: "Take the ride back" }).click();
  await ben.ride.card("Ana").expectRole("host");
  await expect(ben.ride.pause).toBeHidden();
  await ana.ride.pause.click();
  await expect(ben.ride.mine.getByText("Paused", { exact: true })).toBeVisible();
});
