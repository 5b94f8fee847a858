import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { ManageRidersDialog } from "../pages/manage_riders.ts";
import { gather, rideTogether } from "../pages/rider.ts";

test("a kicked rider sees the reason, keeps the recording, and cannot join again", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await rideTogether(longRide, ana, ben, cem);
  await expect(ben.ride.metric("elapsed")).toHaveText(/0:0[3-9]/);
  await expect(new ManageRidersDialog(ben.page).open).toBeHidden();

  await new ManageRidersDialog(ana.page).kick("Ben", "Wrong ride, Ben.");
  await expect(ben.ride.summary).toContainText("Wrong ride, Ben.");
  await expect(ben.ride.download).toBeEnabled();
  await expect(ana.ride.card("Ben").article).toBeHidden();
  await expect(cem.ride.card("Ben").article).toBeHidden();
  await expect(cem.page.getByText("Ben was removed by the host.")).toBeVisible();
  await expect(cem.ride.myRide).toBeVisible();

  await ben.page.goto(ana.invitation);
  await expect(ben.page.getByText("The host removed you from this ride.")).toBeVisible();
  const another = await ben.context.newPage();
  await another.goto(ana.invitation);
  await expect(another.getByText("The host removed you from this ride.")).toBeVisible();
  await expect(another.getByRole("button", { name: "Join" })).toBeHidden();
});

test("a locked ride rejects new riders, and its riders can return", async ({ newRider }) => {
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  await gather(ana, ben);
  await new ManageRidersDialog(ana.page).setLock(true);
  await expect(ben.page.getByText("The ride is locked: nobody new can join.")).toBeVisible();

  await cem.page.goto(ana.invitation);
  await expect(cem.page.getByText("The host has locked this ride.")).toBeVisible();
  await ben.page.reload();
  await ben.expectLobby();

  await new ManageRidersDialog(ana.page).setLock(false);
  await cem.acceptInvitation(ana.invitation);
  await cem.expectLobby();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(3);
});

test("the host can hand over the ride, and only the new host controls it", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await new ManageRidersDialog(ana.page).handOver("Ben");

  await ana.ride.card("Ben").expectRole("host");
  await expect(ben.ride.pause).toBeVisible();
  await expect(ana.ride.pause).toBeHidden();
  await expect(ana.page.getByRole("button", { name: "Take the ride back" })).toBeHidden();
  await ben.ride.pause.click();
  await expect(ana.ride.myRide.getByText("Paused", { exact: true })).toBeVisible();
});

test("the host can close the ride for all riders, and its code becomes invalid", async ({ newRider, browserErrors }) => {
  browserErrors.allow(/404/);
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await gather(ana, ben);
  await new ManageRidersDialog(ana.page).closeRide();
  await expect(ben.page.getByText("The host closed this ride.")).toBeVisible();
  await expect(ana.page.getByText("The host closed this ride.")).toBeVisible();

  await ben.page.goto(ana.invitation);
  await expect(ben.page.getByText("There is no ride with this code.")).toBeVisible();
});

test("of two riders with one name, the one with the number in question is removed", async ({ newRider }) => {
  const [ana, ben, other] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Ben", 320)];
  await ana.startRide();
  for (const rider of [ben, other]) {
    await rider.acceptInvitation(ana.invitation);
    await expect(rider.ride.code).toBeVisible();
  }
  await expect(ana.ride.card("Ben (3)").article).toBeVisible();

  const manage = new ManageRidersDialog(ana.page);
  await manage.open.click();
  await expect(manage.dialog.getByRole("listitem").nth(1)).toHaveText(/^3Ben \(3\)/);
  await manage.dialog.getByRole("button", { name: "Done" }).click();
  await manage.kick("Ben (3)", "");
  await expect(other.page.getByText("The host removed you from this ride.")).toBeVisible();
  await expect(ana.ride.statusRegion).toContainText("Ben (3) was removed by the host.");
  await expect(ben.ride.code).toBeVisible();
  await expect(ana.ride.card("Ben").article).toBeVisible();
});
