import { expect, test } from "../fixtures/test.ts";
import { commands, fakeTrainer, pedal, targetPower } from "../fixtures/trainer.ts";
import { zwo } from "../fixtures/workouts.ts";

const twoSteps = zwo("Two Steps", `<SteadyState Duration="10" Power="0.6"/><SteadyState Duration="60" Power="0.75"/>`);

test("a smart trainer is told the rider's own target, and everybody sees what it measures", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200, { before: fakeTrainer }), await enter("Ben", 250)];
  await ana.startsRide();
  await ben.accepts(ana.invitation);
  await ben.expectLobby();

  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
  await expect.poll(() => commands(ana.page).then((told) => told[0])).toEqual([0x00]);

  await ana.ride.share(twoSteps);
  await ana.ride.start.click();
  await ana.ride.ridesSoon();
  await pedal(ana.page, 123, 88);
  await expect(ana.ride.metric("power")).toHaveText("123");
  await expect(ana.ride.metric("cadence")).toHaveText("88");
  await expect(ana.ride.metric("heart-rate")).toHaveText("–");
  await expect(ben.ride.card("Ana").metric("power")).toHaveText("123");
  await expect(ben.ride.card("Ana").metric("cadence")).toHaveText("88");
  await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(120));

  await test.step("the next interval is a new target", async () => {
    await expect(ana.ride.metric("target")).toHaveText("150", { timeout: 15_000 });
    await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(150));
    const told = await commands(ana.page);
    const targets = told.filter((command) => command[0] === 0x05);
    expect(targets, "no target twice").toEqual([targetPower(120), targetPower(150)]);
  });

  await test.step("a trainer that drops is said so, and connected again", async () => {
    await ana.page.evaluate(() => window.trainer!.drop());
    await expect(ana.page.getByRole("alert")).toContainText("Kickr Test");
    await expect(ana.ride.metric("power")).toHaveText("–");
    await ana.ride.connectTrainer.click();
    await expect(ana.page.getByRole("alert")).toBeHidden();
    await expect(ana.ride.metric("power")).toHaveText("123");
  });
});

test("without Bluetooth the trainer button says what to do, and the simulator still works", async ({ enter }) => {
  const before = () => Object.defineProperty(navigator, "bluetooth", { value: undefined });
  const ana = await enter("Ana", 200, { before });
  await ana.startsRide();
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText(/cannot reach a trainer/)).toBeVisible();
  await ana.ridesSimulated();
  await expect(ana.page.getByText(/cannot reach a trainer/)).toBeHidden();
});
