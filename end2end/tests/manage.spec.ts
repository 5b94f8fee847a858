import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { Manager } from "../pages/manager.ts";
import { gather, rideTogether } from "../pages/rider.ts";

test("a rider whom the host removes is told why, keeps the ride so far, and cannot come back", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await rideTogether(longRide, ana, ben, cem);
  await expect(ben.ride.metric("elapsed")).toHaveText(/0:0[3-9]/);
  await expect(new Manager(ben.page).open).toBeHidden();

  await new Manager(ana.page).remove("Ben", "Wrong ride, Ben.");
  await expect(ben.ride.summary).toContainText("Wrong ride, Ben.");
  await expect(ben.ride.download).toBeEnabled();
  await expect(ana.ride.card("Ben").article).toBeHidden();
  await expect(cem.ride.card("Ben").article).toBeHidden();
  await expect(cem.page.getByText("Ben was removed by the host.")).toBeVisible();
  await expect(cem.ride.mine).toBeVisible();

  await ben.page.goto(ana.invitation);
  await expect(ben.page.getByText("The host removed you from this ride.")).toBeVisible();
  const another = await ben.context.newPage();
  await another.goto(ana.invitation);
  await expect(another.getByText("The host removed you from this ride.")).toBeVisible();
  await expect(another.getByRole("button", { name: "Join" })).toBeHidden();
});

test("a locked ride lets nobody new in, and those who are in come back", async ({ enter }) => {
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await gather(ana, ben);
  await new Manager(ana.page).setLock(true);
  await expect(ben.page.getByText("The ride is locked: nobody new can join.")).toBeVisible();

  await cem.page.goto(ana.invitation);
  await expect(cem.page.getByText("The host has locked this ride.")).toBeVisible();
  await ben.page.reload();
  await ben.expectLobby();

  await new Manager(ana.page).setLock(false);
  await cem.accepts(ana.invitation);
  await cem.expectLobby();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(3);
});

test("the ride can be handed over, and is led on by the new host alone", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await new Manager(ana.page).handOver("Ben");

  await ana.ride.card("Ben").expectRole("host");
  await expect(ben.ride.pause).toBeVisible();
  await expect(ana.ride.pause).toBeHidden();
  await expect(ana.page.getByRole("button", { name: "Take the ride back" })).toBeHidden();
  await ben.ride.pause.click();
  await expect(ana.ride.mine.getByText("Paused", { exact: true })).toBeVisible();
});

test("the host can close the ride for everyone, and its code ends with it", async ({ enter, faults }) => {
  faults.expect(/404/);
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await gather(ana, ben);
  await new Manager(ana.page).closeRide();
  await expect(ben.page.getByText("The host closed this ride.")).toBeVisible();
  await expect(ana.page.getByText("The host closed this ride.")).toBeVisible();

  await ben.page.goto(ana.invitation);
  await expect(ben.page.getByText("There is no ride with this code.")).toBeVisible();
});
