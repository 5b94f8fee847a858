import type { Page } from "@playwright/test";
import { expectAccessible } from "../fixtures/accessibility.ts";
import { recordTones, type Tone } from "../fixtures/audio.ts";
import { faces } from "../fixtures/faces.ts";
import { sidewaysProblems } from "../fixtures/layout.ts";
import { asTrainer, cadenceSensor, dropSensor, fakeSensors, powerMeter, sensorWrites, services, strap, tacxTrainer, turnCrank, wahooTrainer, type FakeSensor } from "../fixtures/sensors.ts";
import { expect, test, type NewRider } from "../fixtures/test.ts";
import { commands, fakeTrainer, pedal, setTrainer, targetPower } from "../fixtures/trainer.ts";
import { longRide, zwo } from "../fixtures/workouts.ts";
import { Rider } from "../pages/rider.ts";

/** A rider with a Fitness Machine and these devices, by the service that they advertise. */
async function riderWith(newRider: NewRider, sensors: Record<string, FakeSensor>, found = true): Promise<Rider> {
  const ana = await newRider("Ana", 200, { before: fakeTrainer });
  await ana.context.addInitScript(fakeSensors, { sensors, found });
  await ana.startRide();
  return ana;
}

const row = (page: Page, name: string) => page.getByRole("group", { name, exact: true });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

async function pair(page: Page, ...names: string[]): Promise<void> {
  for (const name of names) await button(page, `Pair ${name}`).click();
}

async function ride(rider: Rider): Promise<void> {
  await rider.ride.share(longRide);
  await rider.ride.start.click();
  await rider.ride.expectRiding();
}

test("strap, power meter and cadence sensor beside the trainer are on the board of all riders, with battery and a choice of the source", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.heartRate]: strap(142), [services.power]: powerMeter(188), [services.cadence]: cadenceSensor() });
  const { page } = ana;
  const ben = await newRider("Ben", 250);
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  await pair(page, "trainer", "heart rate", "power meter", "cadence");
  await turnCrank(page, 92);
  await pedal(page, 200, 80);
  await expect(row(page, "Heart rate")).toContainText("Strap 7E2A is connected.");
  await expect(row(page, "Heart rate")).toContainText("142 bpm");
  await expect(row(page, "Heart rate")).toContainText("Battery 64 %");
  await expect(row(page, "Power meter")).toContainText("188 W");
  await expect(row(page, "Trainer")).toContainText("200 W");

  await ride(ana);
  await expect(ana.ride.metric("power")).toHaveText("188");
  await expect(ana.ride.metric("heart-rate")).toHaveText("142");
  await expect(ana.ride.metric("cadence")).toHaveText(/^9[0-4]$/);
  await expect(ben.ride.card("Ana").metric("power")).toHaveText("188");
  await expect(ben.ride.card("Ana").metric("heart-rate")).toHaveText("142");

  await button(page, "Devices").click();
  await page.getByLabel("Power from").selectOption("Trainer");
  await page.getByLabel("Cadence from").selectOption("Trainer");
  await button(page, "Close").click();
  await expect(ana.ride.metric("power")).toHaveText("200");
  await expect(ana.ride.metric("cadence")).toHaveText("80");
});

test("power match sets the trainer so that the power meter shows the target", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.power]: powerMeter(110) });
  const { page } = ana;
  await pair(page, "trainer", "power meter");
  await pedal(page, 120, 85);
  await page.getByLabel("Power match").check();
  await ride(ana);
  // The meter shows 10 W less than the trainer, so 120 W on the meter are 130 W on the trainer.
  await expect.poll(() => commands(page), { timeout: 60_000 }).toContainEqual(targetPower(128));
  await expect(ana.ride.metric("target")).toHaveText("120");
});

test("a strap that is lost during the ride sounds an alarm, is missing on the screen, and comes back by itself", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: recordTones });
  await ana.context.addInitScript(fakeSensors, { sensors: { [services.heartRate]: strap(142) }, found: true });
  await ana.startRide();
  const { page } = ana;
  await ana.useSimulatedTrainer();
  await pair(page, "heart rate");
  await ride(ana);
  await expect(ana.ride.metric("heart-rate")).toHaveText("142");
  await dropSensor(page, services.heartRate, 1);
  const alert = page.getByRole("alert").filter({ hasText: "Strap 7E2A" });
  await expect(alert).toContainText("lost");
  const tones = () => page.evaluate(() => (window as unknown as { tones: Tone[] }).tones.map((tone) => tone.frequency));
  await expect.poll(tones).toContain(392);
  // The simulated trainer measures a heart rate, too: the next best source counts.
  await expect(ana.ride.metric("heart-rate")).not.toHaveText("142");
  await expect(alert).toBeHidden({ timeout: 15_000 });
  await expect(ana.ride.metric("heart-rate")).toHaveText("142");
});

test("paired devices are there again after a reload, until they are forgotten", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.heartRate]: strap(131) });
  const { page } = ana;
  await pair(page, "heart rate");
  await expect(row(page, "Heart rate")).toContainText("131 bpm");
  await page.reload();
  await ana.expectLobby();
  await expect(row(page, "Heart rate")).toContainText("131 bpm");
  await row(page, "Heart rate").getByRole("button", { name: "Forget" }).click();
  await expect(row(page, "Heart rate")).toContainText("Not paired.");
  await page.reload();
  await ana.expectLobby();
  await expect(row(page, "Heart rate")).toContainText("Not paired.");
});

test("a device that one tab uses is not taken by another one", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.heartRate]: strap(131) });
  await pair(ana.page, "heart rate");
  await expect(row(ana.page, "Heart rate")).toContainText("131 bpm");
  const other = new Rider(await ana.context.newPage(), "Ana", 200);
  await other.startRide();
  await expect(row(other.page, "Heart rate")).toContainText("Strap 7E2A was paired.");
  await expect(row(ana.page, "Heart rate")).toContainText("131 bpm");
  await pair(other.page, "heart rate");
  await expect(row(other.page, "Heart rate")).toContainText("another app or tab may use it");
  await expect(row(ana.page, "Heart rate")).toContainText("131 bpm");
  await ana.page.close();
  await other.page.reload();
  await other.expectLobby();
  await expect(row(other.page, "Heart rate")).toContainText("131 bpm");
});

test("a browser that gives no device again names the one that was paired, and one tap pairs it", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.heartRate]: strap(131) }, false);
  const { page } = ana;
  await pair(page, "heart rate", "trainer");
  await expect(row(page, "Heart rate")).toContainText("131 bpm");
  await expect(row(page, "Trainer")).toContainText("Kickr Test is connected.");
  await page.reload();
  await ana.expectLobby();
  await expect(row(page, "Heart rate")).toContainText("Strap 7E2A was paired.");
  await expect(row(page, "Trainer")).toContainText("Kickr Test was paired.");
  await pair(page, "heart rate", "trainer");
  await expect(row(page, "Heart rate")).toContainText("131 bpm");
  await expect(row(page, "Trainer")).toContainText("Kickr Test is connected.");
});

test("a Tacx trainer before FTMS follows the targets", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.tacx]: tacxTrainer(143, 88) });
  await pair(ana.page, "trainer");
  await expect(ana.page.getByText("Tacx is connected.")).toBeVisible();
  await ride(ana);
  await expect(ana.ride.metric("power")).toHaveText("143");
  await expect(ana.ride.metric("cadence")).toHaveText("88");
  // 120 W in units of 0.25 W.
  await expect.poll(async () => (await sensorWrites(ana.page, services.tacx)).map((write) => write.slice(4, 12))).toContainEqual([0x31, 255, 255, 255, 255, 255, 0xe0, 0x01]);
});

test("a Wahoo trainer before FTMS is unlocked and follows the targets", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.power]: wahooTrainer(117) });
  await pair(ana.page, "trainer");
  await expect(ana.page.getByText("Old Kickr is connected.")).toBeVisible();
  await ride(ana);
  await expect(ana.ride.metric("power")).toHaveText("117");
  await expect.poll(() => sensorWrites(ana.page, services.power)).toContainEqual([0x42, 120, 0]);
  expect((await sensorWrites(ana.page, services.power))[0]).toEqual([0x20, 0xee, 0xfc]);
});

test("a power meter that is paired as a trainer measures, and says that it takes no target", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.power]: asTrainer(powerMeter(150)) });
  await pair(ana.page, "trainer");
  await expect(ana.page.getByText("Pedals only measures.")).toBeVisible();
  await expect(row(ana.page, "Trainer")).toContainText("150 W");
});

test("one device can be trainer and power meter at once", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.power]: wahooTrainer(117) });
  const { page } = ana;
  await pair(page, "trainer");
  await expect(row(page, "Trainer")).toContainText("117 W");
  await pair(page, "power meter");
  await expect(row(page, "Power meter")).toContainText("117 W");
  await expect(row(page, "Trainer")).toContainText("Old Kickr is connected.");
  await row(page, "Power meter").getByRole("button", { name: "Forget" }).click();
  await expect(row(page, "Trainer")).toContainText("117 W");
});

test("outside of ERG mode, and in a free ride, the rider sets the slope", async ({ newRider }) => {
  const ana = await riderWith(newRider, {});
  const { page } = ana;
  await pair(page, "trainer");
  await pedal(page, 150, 85);
  await ana.ride.share(zwo("Free at First", `<FreeRide Duration="20"/><SteadyState Duration="600" Power="0.6"/>`));
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  const slope = ana.ride.metric("load");
  await expect(slope).toHaveText("0.0");
  await button(page, "More load").click();
  await button(page, "More load").click();
  await expect(slope).toHaveText("1.0");
  await expect.poll(() => commands(page)).toContainEqual([0x11, 0, 0, 100, 0, 40, 51]);
  await expect(slope).toBeHidden({ timeout: 25_000 });
  await expect.poll(() => commands(page)).toContainEqual(targetPower(120));
  await button(page, "ERG: on").click();
  await expect(button(page, "ERG: off")).toBeVisible();
  await expect(slope).toHaveText("1.0");
  await expect.poll(async () => (await commands(page)).at(-1)).toEqual([0x11, 0, 0, 100, 0, 40, 51]);
});

test("a rider who grinds to a halt gets a free wheel, and one who stops a waiting recording", async ({ newRider }) => {
  const ana = await riderWith(newRider, {});
  const { page } = ana;
  await pair(page, "trainer");
  await pedal(page, 120, 85);
  await ride(ana);
  await expect.poll(() => commands(page)).toContainEqual(targetPower(120));
  await pedal(page, 90, 40);
  await expect(page.getByText("The target is released")).toBeVisible({ timeout: 15_000 });
  expect((await commands(page)).at(-1)![0]).toBe(0x11);
  await pedal(page, 90, 85);
  await expect(page.getByText("The target is released")).toBeHidden({ timeout: 15_000 });
  await expect.poll(async () => (await commands(page)).at(-1), { timeout: 10_000 }).toEqual(targetPower(120));

  await pedal(page, 0, 0);
  await expect(page.getByText("Your recording waits.")).toBeVisible({ timeout: 10_000 });
  await pedal(page, 110, 80);
  await expect(page.getByText(/Your recording goes on in [123] s/)).toBeVisible();
  await expect(page.getByText(/Your recording/)).toBeHidden({ timeout: 10_000 });
});

test("the panel of the devices is accessible, works by keyboard, and runs off no phone", async ({ newRider }) => {
  const ana = await riderWith(newRider, { [services.heartRate]: strap(142), [services.power]: powerMeter(188) });
  const { page } = ana;
  await button(page, "Pair heart rate").focus();
  await page.keyboard.press("Enter");
  await button(page, "Pair power meter").focus();
  await page.keyboard.press("Enter");
  await pair(page, "trainer");
  await expect(page.getByLabel("Power match")).toBeVisible();
  await page.getByLabel("Power match").focus();
  await page.keyboard.press("Space");
  await expect(page.getByLabel("Power match")).toBeChecked();
  await expectAccessible(page, "devices");
  await page.setViewportSize({ width: 320, height: 568 });
  const variants = faces.flatMap((face) => [100, 200].map((textPercent) => ({ face, textPercent })));
  expect((await sidewaysProblems(page, variants)).join("\n")).toBe("");
  await ride(ana);
  const press = async (name: string, key = "Enter") => {
    await button(page, name).focus();
    await page.keyboard.press(key);
  };
  await press("Devices");
  expect((await sidewaysProblems(page, variants)).join("\n")).toBe("");
  await page.getByLabel("Power from").focus();
  await page.keyboard.press("ArrowDown");
  await expectAccessible(page, "power source");
  await row(page, "Heart rate").getByRole("button", { name: "Forget" }).focus();
  await page.keyboard.press("Enter");
  await expect(row(page, "Heart rate")).toContainText("Not paired.");
  await press("Close");
  await page.getByRole("button", { name: /^ERG/ }).focus();
  await page.keyboard.press("Enter");
  await press("More load");
  await expect.poll(async () => (await commands(page)).at(-1)![0], "a slope").toBe(0x11);
  await setTrainer(page, { measures: false });
  await expect(page.getByRole("alert").first()).toBeVisible({ timeout: 10_000 });
  await expectAccessible(page, "alert");
});
