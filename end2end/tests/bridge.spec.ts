import type { Page } from "@playwright/test";
import { expectAccessible } from "../fixtures/accessibility.ts";
import { faces } from "../fixtures/faces.ts";
import { sidewaysProblems } from "../fixtures/layout.ts";
import { withoutBluetooth } from "../fixtures/no_bluetooth.ts";
import { fakeSensors, services, strap } from "../fixtures/sensors.ts";
import { expect, test, type NewRider } from "../fixtures/test.ts";
import { commands, dropTrainer, fakeTrainer, pedal, targetPower } from "../fixtures/trainer.ts";
import { longRide } from "../fixtures/workouts.ts";
import { BridgePage } from "../pages/bridge_page.ts";
import { ManageRidersDialog } from "../pages/manage_riders.ts";
import type { Rider } from "../pages/rider.ts";

const row = (page: Page, name: string) => page.getByRole("group", { name, exact: true });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const variants = faces.flatMap((face) => [100, 200].map((textPercent) => ({ face, textPercent })));

/** A rider in the lobby whose browser has no Bluetooth. */
async function riderWithoutBluetooth(newRider: NewRider): Promise<Rider> {
  const ana = await newRider("Ana", 200, { before: withoutBluetooth });
  await ana.startRide();
  return ana;
}

/** The rider's phone, with a trainer and a strap within reach. */
async function openPhone(newRider: NewRider, link: string, found = false): Promise<BridgePage> {
  const { context } = await newRider("Phone", 200, { before: fakeTrainer });
  await context.addInitScript(fakeSensors, { sensors: { [services.heartRate]: strap(142) }, found });
  return BridgePage.open(context, link);
}

/** Ana, and her phone with trainer and strap; she pedals with 110 W at 85 rpm. */
async function withPhone(newRider: NewRider): Promise<{ ana: Rider; phone: BridgePage; link: string }> {
  const ana = await riderWithoutBluetooth(newRider);
  const link = await BridgePage.linkOf(ana.page);
  const phone = await openPhone(newRider, link);
  await phone.expectConnected();
  await phone.pair("trainer", "heart rate");
  await pedal(phone.page, 110, 85);
  await expect(row(ana.page, "Trainer")).toContainText("110 W");
  return { ana, phone, link };
}

async function ride(rider: Rider): Promise<void> {
  await rider.ride.share(longRide);
  await rider.ride.start.click();
  await rider.ride.expectRiding();
}

test("a phone passes the values of trainer and strap on, and the targets to the trainer", async ({ newRider }) => {
  const { ana, phone } = await withPhone(newRider);
  const ben = await newRider("Ben", 250);
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  await expect(phone.heading("Bluetooth for Ana")).toBeVisible();
  await expect(row(ana.page, "Trainer")).toContainText("Kickr Test is connected.");
  await expect(row(ana.page, "Heart rate")).toContainText("142 bpm");
  await expect(row(ana.page, "Heart rate")).toContainText("Battery 64 %");
  await expect(row(ana.page, "A phone for Bluetooth")).toContainText("Your phone connects the devices.");
  await expect(ana.ride.connectTrainer).toBeHidden();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(2);

  await ride(ana);
  await expect(ana.ride.metric("power")).toHaveText("110");
  await expect(ana.ride.metric("cadence")).toHaveText("85");
  await expect(ana.ride.metric("heart-rate")).toHaveText("142");
  await expect(ben.ride.card("Ana").metric("power")).toHaveText("110");
  await expect(ben.ride.card("Ana").metric("heart-rate")).toHaveText("142");
  await expect.poll(() => commands(phone.page)).toContainEqual(targetPower(120));
  await expect(phone.load).toHaveText("120 W");
  await pedal(phone.page, 125, 90);
  await expect(ana.ride.metric("power")).toHaveText("125");
});

test("when the page of the ride goes away, the phone holds the target and then eases off, and follows again", async ({ newRider }) => {
  const { ana, phone } = await withPhone(newRider);
  await ride(ana);
  await expect.poll(async () => (await commands(phone.page)).at(-1)).toEqual(targetPower(120));
  const address = ana.page.url();
  const gone = Date.now();
  await ana.page.goto("about:blank");
  await expect(phone.page.getByText("The page of the ride does not answer. The trainer holds its target")).toBeVisible();
  expect((await commands(phone.page)).at(-1), "held").toEqual(targetPower(120));
  await expect(phone.page.getByText("The trainer is eased off")).toBeVisible({ timeout: 15_000 });
  expect(Date.now() - gone).toBeGreaterThan(9_000);
  await expect.poll(async () => (await commands(phone.page)).at(-1)![0], { timeout: 20_000 }).toBe(0x11);

  await ana.page.goto(address);
  await ana.ride.expectRiding();
  await phone.expectConnected();
  await expect(ana.ride.metric("power")).toHaveText("110");
  await expect.poll(async () => (await commands(phone.page)).at(-1), { timeout: 15_000 }).toEqual(targetPower(120));
});

test("when the phone goes away, the page says so, rides on, and takes it back", async ({ newRider }) => {
  const { ana, phone } = await withPhone(newRider);
  await ride(ana);
  await expect(ana.ride.metric("power")).toHaveText("110");
  const [context, address] = [phone.page.context(), phone.page.url()];
  await phone.page.close();
  const alert = ana.page.getByRole("alert").filter({ hasText: "Phone lost" });
  await expect(alert).toContainText("Your phone does not answer.");
  await expect(ana.ride.metric("power")).toHaveText("–");
  await expect(ana.ride.metric("heart-rate")).toHaveText("–");
  const ridden = await ana.ride.elapsed();
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThan(ridden + 1);

  const again = await BridgePage.open(context, address);
  await again.expectConnected();
  await again.pair("trainer");
  await pedal(again.page, 130, 85);
  await expect(ana.ride.metric("power")).toHaveText("130");
  await expect(alert).toBeHidden();
});

test("a trainer that is lost at the phone is lost on the page, and comes back by itself", async ({ newRider }) => {
  const { ana, phone } = await withPhone(newRider);
  await ride(ana);
  await dropTrainer(phone.page, 2);
  await expect(ana.page.getByText("The connection to Kickr Test is lost.")).toBeVisible();
  await expect(ana.ride.metric("heart-rate")).toHaveText("142");
  await expect(ana.page.getByText("The connection to Kickr Test is lost.")).toBeHidden({ timeout: 15_000 });
  await expect(ana.ride.metric("power")).toHaveText("110");
});

test("a page that is reloaded keeps its phone", async ({ newRider }) => {
  const { ana, phone, link } = await withPhone(newRider);
  await ana.page.reload();
  await ana.expectLobby();
  await expect(row(ana.page, "Trainer")).toContainText("110 W");
  expect(await BridgePage.linkOf(ana.page)).toBe(link);
  await phone.expectConnected();
});

test("a phone that is opened again comes back into a locked ride, and another tab of it takes over", async ({ newRider }) => {
  const { ana, phone, link } = await withPhone(newRider);
  await new ManageRidersDialog(ana.page).setLock(true);
  await phone.page.reload();
  await phone.expectConnected();
  await expect(row(ana.page, "Trainer")).toContainText("The connection to Kickr Test is lost.");
  await phone.pair("trainer");
  await pedal(phone.page, 120, 85);
  await expect(row(ana.page, "Trainer")).toContainText("120 W");

  const tab = await BridgePage.open(phone.page.context(), link);
  await tab.expectConnected();
  await expect(phone.page.getByText("Another tab of this phone connects the devices now.")).toBeVisible();
  await button(phone.page, "Use this tab").click();
  await phone.expectConnected();
  await expect(tab.page.getByText("Another tab of this phone connects the devices now.")).toBeVisible();

  const stranger = await openPhone(newRider, link);
  await expect(stranger.page.getByRole("heading", { name: "Not connected" })).toBeVisible();
});

test("a rider stops using a phone, whose link is worth nothing from then on", async ({ newRider }) => {
  const { ana, phone, link } = await withPhone(newRider);
  await ana.page.getByRole("button", { name: "Stop using this phone" }).click();
  await expect(phone.page.getByText("The rider no longer uses this phone.")).toBeVisible();
  await expect(row(ana.page, "Trainer")).toContainText("No trainer yet.");
  await expect(ana.page.getByRole("button", { name: "Stop using this phone" })).toBeHidden();
  const late = await openPhone(newRider, link);
  await expect(late.page.getByText("The rider no longer uses this phone.")).toBeVisible();

  const next = await BridgePage.linkOf(ana.page);
  expect(next).not.toBe(link);
  await phone.page.goto("about:blank");
  await phone.page.goto(next);
  await phone.expectConnected();
  await expect(row(ana.page, "Trainer")).toContainText("Pair the trainer on the phone.");
  await expect(button(ana.page, "Pair trainer")).toBeHidden();
  await ana.ride.leave.click();
  await expect(phone.page.getByText("The rider is not in the ride.")).toBeVisible();
});

test("the host sees the phones in the ride, and removes one", async ({ newRider }) => {
  const { ana, phone } = await withPhone(newRider);
  const riders = new ManageRidersDialog(ana.page);
  await riders.open.click();
  await expect(riders.dialog.getByRole("heading", { name: "Not riding" })).toBeVisible();
  const remove = riders.dialog.getByRole("button", { name: /^Remove Phone \d+$/ });
  const name = (await remove.getAttribute("aria-label"))!.replace("Remove ", "");
  await riders.dialog.getByRole("button", { name: "Done" }).click();
  await riders.kick(name, "");
  await expect(phone.page.getByRole("heading", { name: "Not connected" })).toBeVisible();
  await riders.open.click();
  await expect(riders.dialog.getByRole("heading", { name: "Not riding" })).toBeHidden();
});

test("a link that is cut off, and a ride that is closed, are said on the phone", async ({ newRider }) => {
  const ana = await riderWithoutBluetooth(newRider);
  const link = await BridgePage.linkOf(ana.page);
  const cut = await openPhone(newRider, link.slice(0, -3));
  await expect(cut.page.getByRole("alert")).toHaveText("This link is not complete. Scan the QR code on the page of the ride again.");
  const phone = await openPhone(newRider, link);
  await phone.expectConnected();
  await new ManageRidersDialog(ana.page).closeRide();
  await expect(phone.page.getByRole("heading", { name: "Not connected" })).toBeVisible();
});

test("a browser without Bluetooth says once what can be done", async ({ newRider }) => {
  const ana = await riderWithoutBluetooth(newRider);
  const hint = ana.page.getByText("This browser has no Bluetooth.");
  await expect(hint).toHaveCount(1);
  await expect(hint).toContainText("simulated trainer");
  await expect(hint).toContainText("watch the others");
  await expect(hint).toContainText("Chrome or Edge");
  await expect(hint).toContainText("An Android phone can also connect your trainer for this page.");
  await expect(row(ana.page, "Heart rate")).toBeHidden();
});

test("dialog and page of the phone are accessible, work by keyboard, and run off no screen", async ({ newRider }) => {
  const ana = await riderWithoutBluetooth(newRider);
  await button(ana.page, "Use a phone").focus();
  await ana.page.keyboard.press("Enter");
  const dialog = ana.page.getByRole("dialog", { name: "A phone for Bluetooth" });
  await expect(dialog).toBeVisible();
  const link = await dialog.getByText("/bridge#").innerText();
  const phone = await openPhone(newRider, link);
  await phone.expectConnected();
  await button(phone.page, "Pair heart rate").focus();
  await phone.page.keyboard.press("Enter");
  await expect(row(phone.page, "Heart rate")).toContainText("142 bpm");
  for (const page of [ana.page, phone.page]) {
    await expectAccessible(page, "bridge");
    await page.setViewportSize({ width: 320, height: 568 });
    expect((await sidewaysProblems(page, variants)).join("\n")).toBe("");
  }
});
