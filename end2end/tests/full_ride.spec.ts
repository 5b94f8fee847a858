import { expect, test } from "../fixtures/test.ts";

test.use({ settings: { GRUPPETTO_MAX_RIDERS: "2" } });

test("a full ride says so, and lets the next one in when somebody has left", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await ana.startsRide();
  await ben.accepts(ana.invitation);
  await ben.expectLobby();

  await cem.page.goto(ana.invitation);
  await expect(cem.page.getByRole("alert")).toContainText("full");
  await expect(cem.page.getByRole("button", { name: "Start a group ride" })).toBeVisible();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(2);

  await ben.ride.leave.click();
  await expect(ana.ride.card("Ben").article).toBeHidden();
  await cem.page.getByRole("button", { name: "Try again" }).click();
  await cem.ride.introduce.fill("Cem", 320);
  await cem.ride.join.click();
  await cem.expectLobby();
});

test("a ride that fills up while somebody types a name says so", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await ana.startsRide();
  await cem.page.goto(ana.invitation);
  await cem.ride.introduce.fill("Cem", 320);
  await ben.accepts(ana.invitation);
  await ben.expectLobby();

  await cem.ride.join.click();
  await expect(cem.page.getByRole("alert")).toContainText("full");
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(2);
});
