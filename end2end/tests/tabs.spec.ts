import { expect, test } from "../fixtures/test.ts";
import { Rider, rideTogether } from "../pages/rider.ts";
import { longRide } from "../fixtures/workouts.ts";

test("a second tab can take over the rider, and the first tab can take the rider back", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  const peer = await ben.ride.card("Ana").peer();

  const second = await secondTab(ana);
  await second.page.getByRole("button", { name: "Go on as Ana" }).click();
  await expect(second.ride.myRide).toBeVisible();
  await expect(second.ride.metric("power")).toHaveText(/^[1-9]/);
  const goOnHere = ana.page.getByRole("button", { name: "Go on here" });
  await expect(goOnHere).toBeVisible();
  await expect(ben.ride.riders.getByRole("article")).toHaveCount(2);

  await goOnHere.click();
  await expect(ana.ride.myRide).toBeVisible();
  await expect(second.page.getByRole("button", { name: "Go on here" })).toBeVisible();
  expect(await ben.ride.card("Ana").peer()).toBe(peer);
  await expect(ben.ride.riders.getByRole("article")).toHaveCount(2);
  await ben.ride.card("Ana").expectLink("direct");
});

async function secondTab(rider: Rider): Promise<Rider> {
  const page = await rider.context.newPage();
  await page.goto(rider.invitation);
  return new Rider(page, rider.name, rider.ftp);
}
