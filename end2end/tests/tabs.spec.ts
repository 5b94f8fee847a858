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

test("a second tab can join as another rider", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();

  const second = await secondTab(ana);
  await second.page.getByRole("button", { name: "Join as somebody else" }).click();
  await second.ride.riderForm.fill("Dora", 180);
  await second.ride.join.click();
  const dora = new Rider(second.page, "Dora", 180);
  await dora.expectLobby();
  await expect(ana.ride.riders.getByRole("article")).toHaveText([/Ana/, /Dora/]);
  await expect(dora.ride.riders.getByRole("article")).toHaveText([/Ana/, /Dora/]);
  expect(await ana.ride.card("Ana").peer()).not.toBe(await ana.ride.card("Dora").peer());
  await ana.ride.card("Ana").expectLink("self");

  await test.step("each tab resumes its own rider after a reload", async () => {
    await ana.page.reload();
    await dora.page.reload();
    await ana.expectLobby();
    await dora.expectLobby();
    await expect(ana.ride.riders.getByRole("article")).toHaveCount(2);
  });
});

async function secondTab(rider: Rider): Promise<Rider> {
  const page = await rider.context.newPage();
  await page.goto(rider.invitation);
  return new Rider(page, rider.name, rider.ftp);
}
