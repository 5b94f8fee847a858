import { Buffer } from "node:buffer";
import { expectAccessible, tabTo } from "../fixtures/accessibility.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";

// A scan of a screen stops its page for some seconds, after which the server would give the host role to Ben.
test.use({ settings: { GRUPPETTO_RIDER_SILENCE_MS: "0" } });

test("axe finds nothing on any screen, from the home page to the summary", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  await expectAccessible(ana.page, "home page");
  await ana.home.start.click();
  await expectAccessible(ana.page, "home page with an error");

  await ana.startRide();
  await expectAccessible(ana.page, "lobby without a workout");
  await ben.page.goto(ana.invitation);
  await expect(ben.ride.join).toBeEnabled();
  await expectAccessible(ben.page, "invitation");
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();

  await ana.ride.choose.click();
  await ana.ride.workoutFile.setInputFiles({ name: "empty.zwo", mimeType: "text/xml", buffer: Buffer.alloc(0) });
  await expect(ana.page.getByRole("alert")).toBeVisible();
  await expectAccessible(ana.page, "chooser");
  await ana.ride.workoutFile.setInputFiles(longRide);
  await expect(ana.ride.heading("Long Ride")).toBeVisible();
  await ana.useSimulatedTrainer();
  await expectAccessible(ana.page, "lobby with a workout");

  await ana.ride.start.click();
  await expect(ana.ride.countdown).toBeVisible();
  await expectAccessible(ana.page, "countdown");
  await ana.ride.expectRiding();
  await expectAccessible(ana.page, "ride");
  await ana.ride.pause.click();
  await expect(ana.ride.resume).toBeVisible();
  await expectAccessible(ana.page, "paused ride");
  await ana.ride.end.click();
  await expectAccessible(ana.page, "confirmation before the end");
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await expect(ana.ride.summary).toBeVisible();
  await expectAccessible(ana.page, "summary");
});

test("a ride can be created, prepared and started with the keyboard alone", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const { page, home, ride } = ana;
  await home.open();
  await expect(home.start).toBeEnabled();

  await tabTo(page, home.rider.name);
  await page.keyboard.type("Ana");
  await tabTo(page, home.rider.ftp);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("210");
  await tabTo(page, home.start);
  await page.keyboard.press("Enter");
  await ana.expectLobby();

  await tabTo(page, ride.ready);
  await page.keyboard.press("Space");
  await expect(ride.ready).toBeChecked();

  await tabTo(page, ride.choose);
  await page.keyboard.press("Enter");
  await expect(ride.chooser).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(ride.chooser).toBeHidden();
  await expect(ride.choose).toBeFocused();

  await page.keyboard.press("Enter");
  await tabTo(page, ride.chooser.getByRole("listitem").first().getByRole("button"));
  await page.keyboard.press("Enter");
  await expect(ride.chooser).toBeHidden();
  await tabTo(page, ride.start);
  await page.keyboard.press("Enter");
  await expect(ride.countdown).toBeVisible();
});

test("in forced colours the primary button has an edge, and zones keep the colours of their legend", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { forcedColors: "active" });
  await ana.page.goto("/solo");
  await ana.ride.choose.click();
  await ana.ride.chooser.getByRole("listitem").first().getByRole("button").click();
  const chip = ana.page.locator(".zone-chip").first();
  await expect(chip).toBeVisible();
  const colours = await chip.evaluate((element) => {
    const zone = getComputedStyle(element).getPropertyValue("--zone").trim();
    const probe = document.createElement("i");
    probe.style.color = zone;
    probe.style.forcedColorAdjust = "none";
    document.body.append(probe);
    const wanted = getComputedStyle(probe).color;
    probe.remove();
    return { drawn: getComputedStyle(element).backgroundColor, wanted };
  });
  expect(colours.drawn).toBe(colours.wanted);

  const edge = await ana.ride.start.evaluate((button) => {
    const [own, sign] = [getComputedStyle(button), getComputedStyle(button, "::before")];
    return { width: own.borderTopWidth, style: own.borderTopStyle, colour: own.borderTopColor, behind: own.backgroundColor, sign: sign.content };
  });
  expect(edge).toMatchObject({ width: "4px", style: "solid", sign: "none" });
  expect(edge.colour).not.toBe(edge.behind);
});
