import { translatePage } from "../fixtures/translator.ts";
import { expect, test } from "../fixtures/test.ts";
import { fourSteps } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";

test("a page that is being translated shows every change of the ride", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: translatePage });
  const ben = await newRider("Ben", 250);
  const { ride, page } = ana;

  await test.step("the home page was translated before the app was there", async () => {
    const translated = ana.page.waitForFunction(() => document.querySelector("h1 font font") !== null);
    await ana.home.open();
    await translated;
    await expect(ana.home.start).toBeEnabled();
    await ana.home.start.click();
    await expect(page.getByText("Type a name, so that the others know you.")).toBeVisible();
    await ana.startRide();
  });

  await test.step("the lobby follows the riders", async () => {
    await expect(page.getByText("0 of 1 ready")).toBeVisible();
    await ride.ready.check();
    await expect(page.getByText("Everyone is ready.")).toBeVisible();
    await ben.acceptInvitation(ana.invitation);
    await ben.expectLobby();
    await expect(page.getByText("1 of 2 ready")).toBeVisible();
    await expect(page.getByText("Everyone is ready.")).toBeHidden();
    await ben.useSimulatedTrainer();
    await ana.useSimulatedTrainer();
    await expect(page.getByText("Simulated trainer", { exact: true })).toBeVisible();
    await ride.share(fourSteps);
  });

  await test.step("the texts of the profile stay visible", async () => {
    await expect(page.locator("svg text", { hasText: "FTP" })).toBeVisible();
    await expect(page.locator("svg font")).toHaveCount(0);
  });

  await test.step("the countdown counts and the ride begins", async () => {
    await ride.start.click();
    await expectToChange(ride.countdown);
    await ride.expectRiding();
    await expectToChange(ride.metric("power"));
    await expectToChange(ride.metric("elapsed"));
    await expectToChange(ride.card("Ben").metric("power"));
    await expect(ride.myRide).toContainText("Interval 1 of 4");
  });

  await test.step("intervals, buttons and states change as a whole", async () => {
    await ride.skip.click();
    await expect(ride.myRide).toContainText("Interval 2 of 4");
    await expect(ride.myRide).not.toContainText("Interval 1 of 4");
    await expect(ride.statusRegion).toHaveText("Ana skipped to the next interval.");
    await ride.pause.click();
    await expect(ride.resume).toHaveText("Resume");
    await expect(ride.myRide.locator(".paused-heading")).toHaveText("Paused");
    await ride.resumeRide();
    await expect(ride.myRide.locator(".paused-heading")).toHaveText(/^Resuming in \d$/);
    await expect(ride.pause).toHaveText("Pause");
    await expectToChange(ride.metric("interval-remaining"));
    await ben.ride.leave.click();
    await expect(ride.statusRegion).toHaveText("Ben has left.");
  });

  await test.step("the summary follows", async () => {
    await ride.end.click();
    await ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await expect(ride.summary).toContainText("You ended the ride at");
    await expect(ride.figure("Average power")).toHaveText(/^\d+$/);
    await expect(page.locator("svg font")).toHaveCount(0);
  });
});

test("a text that a translator restores is the app's text again", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  const texts = await ana.home.start.evaluate(async (button) => {
    const [text, font] = [button.firstChild as Text, document.createElement("font")];
    font.textContent = "Gruppenfahrt starten";
    text.replaceWith(font);
    await Promise.resolve();
    const translated = button.textContent;
    font.replaceWith(text);
    await Promise.resolve();
    return [translated, button.textContent];
  });
  expect(texts).toEqual(["Gruppenfahrt starten", "Start a group ride"]);
});
