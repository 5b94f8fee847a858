import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { rideTogether } from "../pages/rider.ts";

test("a host who returns can take the ride back", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  const invitation = ana.invitation;
  await ana.page.goto("about:blank");
  await ben.ride.card("Ben").expectRole("host", 8_000);
  await expect(ben.page.getByText("You are host now.")).toBeVisible();

  await ana.page.goto(invitation);
  const goOn = ana.page.getByRole("button", { name: "Go on as Ana" });
  await expect(ana.ride.myRide.or(goOn)).toBeVisible();
  if (await goOn.isVisible()) await goOn.click();
  await expect(ana.ride.myRide).toBeVisible();
  await ana.ride.card("Ben").expectRole("host");
  await ana.page.getByRole("button", { name: "Take the ride back" }).click();
  await ben.ride.card("Ana").expectRole("host");
  await expect(ben.ride.pause).toBeHidden();
  await ana.ride.pause.click();
  await expect(ben.ride.myRide.getByText("Paused", { exact: true })).toBeVisible();
});
