import { expect, test } from "../fixtures/test.ts";

test.use({ settings: { GRUPPETTO_MAX_RIDERS: "2" } });

test("a full ride rejects new riders until a rider leaves", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();

  await cem.page.goto(ana.invitation);
  await expect(cem.page.getByRole("alert")).toContainText("full");
  await expect(cem.page.getByRole("button", { name: "Start a group ride" })).toBeVisible();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(2);

  await ben.ride.leave.click();
  await expect(ana.ride.card("Ben").article).toBeHidden();
  await cem.page.getByRole("button", { name: "Try again" }).click();
  await cem.ride.riderForm.fill("Cem", 320);
  await cem.ride.join.click();
  await cem.expectLobby();
});
