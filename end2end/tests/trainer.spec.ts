import { withoutBluetooth } from "../fixtures/no_bluetooth.ts";
import { expect, test } from "../fixtures/test.ts";
import { commands, dropTrainer, fakeTrainer, pedal, setTrainer, targetPower, trainerLog } from "../fixtures/trainer.ts";
import { longRide, zwo } from "../fixtures/workouts.ts";

const twoSteps = zwo("Two Steps", `<SteadyState Duration="10" Power="0.6"/><SteadyState Duration="60" Power="0.75"/>`);

test("a smart trainer receives the targets of its rider, and all riders see its measurements", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200, { before: fakeTrainer }), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();

  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
  await expect.poll(() => commands(ana.page).then((written) => written[0])).toEqual([0x00]);

  await ana.ride.share(twoSteps);
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  await pedal(ana.page, 123, 88);
  await expect(ana.ride.metric("power")).toHaveText("123");
  await expect(ana.ride.metric("cadence")).toHaveText("88");
  await expect(ana.ride.metric("heart-rate")).toHaveText("–");
  await expect(ben.ride.card("Ana").metric("power")).toHaveText("123");
  await expect(ben.ride.card("Ana").metric("cadence")).toHaveText("88");
  await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(120));

  await test.step("the next interval sets a new target", async () => {
    await expect(ana.ride.metric("target")).toHaveText("150", { timeout: 15_000 });
    await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(150));
    const written = await commands(ana.page);
    const targets = written.filter((command) => command[0] === 0x05);
    expect(targets, "each target is set once").toEqual([targetPower(120), targetPower(150)]);
  });

  await test.step("a trainer that disconnects causes an alert and is connected again by itself", async () => {
    const before = (await commands(ana.page)).length;
    await dropTrainer(ana.page, 1);
    await expect(ana.page.getByRole("alert")).toContainText("Kickr Test");
    await expect(ana.ride.metric("power")).toHaveText("–");
    await expect(ana.page.getByRole("alert")).toBeHidden({ timeout: 15_000 });
    await expect(ana.ride.metric("power")).toHaveText("123");
    await expect.poll(async () => (await commands(ana.page)).slice(before)).toContainEqual(targetPower(150));
  });

  await test.step("a trainer that stays away can be chosen anew", async () => {
    await dropTrainer(ana.page, 100);
    await expect(ana.page.getByRole("alert")).toBeVisible();
    await setTrainer(ana.page, { failingConnects: 0 });
    await ana.ride.connectTrainer.click();
    await expect(ana.page.getByRole("alert")).toBeHidden();
    await expect(ana.ride.metric("power")).toHaveText("123");
  });
});

test("a trainer that stops sending causes an alert, and a refused target a message that goes away", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: fakeTrainer });
  await ana.startRide();
  await setTrainer(ana.page, { answers: { 0x05: 0x04 }, watts: 110, cadence: 90 });
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await ana.ride.expectRiding();

  const refused = ana.ride.myRide.getByText(/Kickr Test does not follow the target/);
  await expect(refused).toBeVisible();
  await expect(ana.ride.metric("power")).toHaveText("110");
  await setTrainer(ana.page, { answers: {} });
  await expect(refused).toBeHidden({ timeout: 15_000 });

  // Power of 110 W, with and without a heart rate of 142.
  const heartRate = ana.ride.metric("heart-rate");
  await setTrainer(ana.page, { packet: [0x41, 0x02, 110, 0, 142] });
  await expect(heartRate).toHaveText("142");
  await setTrainer(ana.page, { packet: [0x41, 0x00, 110, 0] });
  await expect(heartRate).toHaveText("–");
  await expect(ana.ride.metric("power")).toHaveText("110");

  await setTrainer(ana.page, { measures: false });
  await expect(ana.page.getByRole("alert")).toContainText("sends no data", { timeout: 10_000 });
  await expect(ana.ride.metric("power")).toHaveText("–");
  await setTrainer(ana.page, { measures: true });
  await expect(ana.page.getByRole("alert")).toBeHidden();
});

test("a first connection that fails twice is not mentioned, and each failure has its own text", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: fakeTrainer });
  await ana.startRide();
  const cancelled = { name: "NotFoundError", message: "User cancelled the requestDevice() chooser.", afterMs: 400 };
  const failures: [Parameters<typeof setTrainer>[1], RegExp][] = [
    [{ chooserError: cancelled }, /No trainer was chosen/],
    [{ chooserError: { name: "NotFoundError", message: "Web Bluetooth API globally disabled.", afterMs: 0 } }, /disabled in this browser/],
    [{ chooserError: { name: "NotAllowedError", message: "", afterMs: 400 } }, /Access to Bluetooth is denied/],
    [{ chooserError: cancelled, available: false }, /Bluetooth is off or missing/],
    [{ chooserError: null, available: true, failingConnects: 3 }, /another app or tab may use it/],
    [{ connectError: "Bluetooth Device is no longer in range.", failingConnects: 3 }, /The trainer is out of reach/],
    [{ missing: [0x2ad2] }, /not a smart trainer/],
  ];
  for (const [switches, text] of failures) {
    await setTrainer(ana.page, switches);
    await ana.ride.connectTrainer.click();
    await expect(ana.page.getByText(text)).toBeVisible();
    const whatElse = ana.page.getByText("Without Bluetooth, ride with the simulated trainer");
    await expect(whatElse).toBeVisible({ visible: /disabled|denied|off/.test(text.source) });
  }
  await setTrainer(ana.page, { missing: [0x2ad9], failingConnects: 2 });
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText("Kickr Test only measures.")).toBeVisible();
});

test("the lobby shows at once that a trainer is connected or lost, and on the simulator why none was", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200, { before: fakeTrainer }), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  const expectTrainer = async (kind: string) => {
    for (const rider of [ana, ben]) await expect(rider.ride.card("Ana").article).toContainText(kind);
  };
  await expectTrainer("No trainer");
  await ana.useSimulatedTrainer();
  await expectTrainer("Simulated");
  await setTrainer(ana.page, { failingConnects: 3 });
  await ana.ride.connectTrainer.click();
  await expect(ana.ride.statusRegion).toContainText("does not answer");
  await ana.ride.connectTrainer.click();
  await expectTrainer("Smart trainer");
  await dropTrainer(ana.page, 100);
  await expectTrainer("No trainer");
  await setTrainer(ana.page, { failingConnects: 0 });
  await expectTrainer("Smart trainer");
});

test("a rider who leaves frees the trainer of its target before it is disconnected", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: fakeTrainer });
  await ana.startRide();
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(120));

  await test.step("a page that is hidden for good releases the target", async () => {
    await ana.page.evaluate(() => window.dispatchEvent(new Event("pagehide")));
    await expect.poll(() => trainerLog(ana.page)).toContain("write 17");
  });
  await test.step("the Leave button disconnects after the release", async () => {
    await ana.ride.leave.click();
    await expect.poll(async () => (await trainerLog(ana.page)).slice(-2)).toEqual(["write 17", "disconnect"]);
  });
});

test("without Web Bluetooth the trainer button shows a message, and the simulated trainer works", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: withoutBluetooth });
  await ana.startRide();
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText(/This browser has no Bluetooth, or/)).toBeVisible();
  await ana.useSimulatedTrainer();
  await expect(ana.page.getByText(/This browser has no Bluetooth, or/)).toBeHidden();
});

test("on an iPhone the trainer button names what works there instead of browsers that do not", async ({ newRider }) => {
  const userAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/123.0.6312.52 Mobile/15E148 Safari/604.1";
  const ana = await newRider("Ana", 200, { before: withoutBluetooth, userAgent });
  await ana.startRide();
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText(/Browsers on iPhone and iPad have no Bluetooth/)).toBeVisible();
});
