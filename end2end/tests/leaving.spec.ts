import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { Rider, rideTogether } from "../pages/rider.ts";

test("Back in the middle of a ride asks first, and the host stays host", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  const address = ana.page.url();
  const question = ana.page.getByRole("dialog", { name: "Leave the ride?" });

  await ana.page.goBack();
  await expect(question).toContainText("Another rider becomes host.");
  await expect(question.getByRole("button", { name: "Keep riding" })).toBeFocused();
  await expectToChange(ana.ride.metric("elapsed"));
  await ana.page.keyboard.press("Enter");
  await expect(question).toBeHidden();
  expect(ana.page.url()).toBe(address);
  await ben.ride.card("Ana").expectRole("host");
  await ana.ride.pause.click();
  await expect(ben.ride.myRide.getByText("Paused", { exact: true })).toBeVisible();

  await ana.page.goBack();
  await question.getByRole("button", { name: "Leave" }).click();
  await expect(ana.ride.summary).toBeVisible();
  await ben.ride.card("Ben").expectRole("host");
  await ana.page.goBack();
  await expect(ana.home.start).toBeEnabled();
  await expect(ana.page.getByRole("link", { name: "Return to the ride" })).toBeHidden();
});

test("the browser asks before it leaves a ride for another site, and not before and after the ride", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const asked: string[] = [];
  ana.page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void dialog.dismiss();
  });
  await ana.startRide();
  await ana.page.reload();
  await ana.expectLobby();
  await ana.useSimulatedTrainer();
  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  expect(asked).toEqual([]);
  await ana.page.goto("about:blank").catch(() => {});
  await expect.poll(() => asked).toEqual(["beforeunload"]);
  await expectToChange(ana.ride.metric("elapsed"));

  await ana.ride.leave.click();
  await expect(ana.ride.summary).toBeVisible();
  await ana.page.goto("about:blank");
  expect(asked).toEqual(["beforeunload"]);
});

test("the home page leads back into a ride that is running, until it has ended", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  const peer = await ana.ride.card("Ben").peer();
  const back = (rider: Rider) => rider.page.getByRole("link", { name: "Return to the ride" });

  await test.step("in the same tab at once as the same rider", async () => {
    await ben.home.open();
    await back(ben).click();
    await expect(ben.ride.myRide).toBeVisible();
    expect(await ben.ride.card("Ben").peer()).toBe(peer);
  });

  const again = await test.step("in another tab after the first was closed", async () => {
    await ben.page.close();
    const again = new Rider(await ben.context.newPage(), "Ben", 250);
    await again.home.open();
    await back(again).click();
    await again.page.getByRole("button", { name: "Go on as Ben" }).click();
    await expect(again.ride.myRide).toBeVisible();
    expect(await again.ride.card("Ben").peer()).toBe(peer);
    return again;
  });

  await test.step("not after the end", async () => {
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await expect(again.ride.summary).toContainText("Ana ended the ride at");
    for (const rider of [ana, again]) {
      await rider.page.getByRole("link", { name: "Go home" }).click();
      await expect(rider.home.start).toBeEnabled();
      await expect(back(rider)).toBeHidden();
    }
  });
});

test("a rider who comes back from another site is not asked for the rider, even if nothing was stored at the end of the page", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: hidePageHide });
  await ana.startRide();
  await expect.poll(() => ana.page.evaluate(() => Object.keys(sessionStorage).some((key) => key.startsWith("gruppetto.tab.")))).toBe(true);
  await ana.page.goto("about:blank");
  await ana.page.goBack();
  await ana.expectLobby();
  await ana.ride.card("Ana").expectRole("host");
});

/** Keeps the app from hearing that the page is being left. What Firefox is given to store then is lost. Runs in the page. */
function hidePageHide(): void {
  addEventListener("pagehide", (event) => event.stopImmediatePropagation(), { capture: true });
}
