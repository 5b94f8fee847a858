import { expect, test } from "../fixtures/test.ts";
import { commands, fakeTrainer, pedal, targetPower } from "../fixtures/trainer.ts";
import { zwo } from "../fixtures/workouts.ts";

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

  await test.step("a trainer that disconnects causes an alert and can be connected again", async () => {
    await ana.page.evaluate(() => window.trainer!.disconnect());
    await expect(ana.page.getByRole("alert")).toContainText("Kickr Test");
    await expect(ana.ride.metric("power")).toHaveText("–");
    await ana.ride.connectTrainer.click();
    await expect(ana.page.getByRole("alert")).toBeHidden();
    await expect(ana.ride.metric("power")).toHaveText("123");
  });
});

test("without Web Bluetooth the trainer button shows a message, and the simulated trainer works", async ({ newRider }) => {
  const before = () => Object.defineProperty(navigator, "bluetooth", { value: undefined });
  const ana = await newRider("Ana", 200, { before });
  await ana.startRide();
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText(/cannot reach a trainer/)).toBeVisible();
  await ana.useSimulatedTrainer();
  await expect(ana.page.getByText(/cannot reach a trainer/)).toBeHidden();
});
