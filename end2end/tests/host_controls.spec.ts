import { readFit } from "../fixtures/fit.ts";
import { expectFaces, faces, useFace } from "../fixtures/faces.ts";
import { expect, test } from "../fixtures/test.ts";
import { fourSteps, longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, rideTogether, type Rider } from "../pages/rider.ts";

test("the host skips, goes back and extends, and all riders are in the same interval", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(fourSteps, ana, ben);
  for (const control of [ben.ride.skip, ben.ride.back, ben.ride.extend]) await expect(control).toBeHidden();

  await test.step("a skip starts the next interval for both riders, and the time ridden does not decrease", async () => {
    await expect.poll(() => ben.ride.elapsed()).toBeGreaterThanOrEqual(2);
    const before = await each(both, (rider) => rider.ride.elapsed());
    await ana.ride.skip.click();
    await expectInterval(both, 2);
    await each(both, ({ ride }) => expect(ride.statusRegion).toContainText("Ana skipped to the next interval."));
    await each(both, ({ ride, ftp }) => expect(ride.metric("target")).toHaveText(`${0.7 * ftp}`));
    const after = await each(both, (rider) => rider.ride.elapsed());
    after.forEach((elapsed, rider) => expect(elapsed).toBeGreaterThanOrEqual(before[rider]!));
  });

  await test.step("back restarts the interval", async () => {
    await expect.poll(() => ana.ride.leftInInterval(), { timeout: 15_000 }).toBeLessThanOrEqual(53);
    await ana.ride.back.click();
    await each(both, ({ ride }) => expect.poll(() => ride.leftInInterval(), { intervals: [100] }).toBeGreaterThanOrEqual(58));
    await expectInterval(both, 2);
    await each(both, ({ ride }) => expect(ride.statusRegion).toContainText("Ana went back to the start of interval 2."));
  });

  await test.step("an extension adds a minute for both riders", async () => {
    await ana.ride.extend.click();
    await each(both, ({ ride }) => expect.poll(() => ride.leftInInterval()).toBeGreaterThan(100));
    await expectInterval(both, 2);
    await each(both, ({ ride }) => expect(ride.statusRegion).toContainText("Ana made this interval a minute longer."));
  });

  await test.step("a double click skips once", async () => {
    await expect.poll(() => ana.ride.leftInInterval()).toBeLessThanOrEqual(117);
    await ana.ride.skip.dblclick();
    await expectInterval(both, 3);
    await expect(ana.ride.statusRegion).toContainText("The group has only just changed the interval.");
    await each(both, ({ ride }) => expect.poll(() => ride.leftInInterval(), { timeout: 10_000 }).toBeLessThanOrEqual(57));
    await expectInterval(both, 3);
  });

  await test.step("back in the first seconds of an interval leads to the previous one", async () => {
    await ana.ride.skip.click();
    await expectInterval(both, 4);
    await expect.poll(() => ana.ride.leftInInterval()).toBeLessThanOrEqual(58);
    await ana.ride.back.click();
    await expectInterval(both, 3);
    await expect.poll(() => ana.ride.leftInInterval()).toBeLessThanOrEqual(58);
    await ana.ride.skip.click();
    await expectInterval(both, 4);
  });

  await test.step("the last interval cannot be skipped", async () => {
    await expect.poll(() => ana.ride.leftInInterval()).toBeLessThanOrEqual(58);
    await ana.ride.skip.click();
    await expect(ana.ride.statusRegion).toContainText("This is the last interval.");
    await expectInterval(both, 4);
  });

  await test.step("the FIT file has a lap for every part of an interval that was ridden", async () => {
    await ana.ride.end.click();
    await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
    await expect(ben.ride.summary).toBeVisible();
    const fit = await readFit(await ben.ride.downloadFit());
    // Intervals 1, 2, 2, 3, 4, 3, 4.
    expect(fit.laps).toHaveLength(7);
    const laps = fit.laps.reduce((sum, lap) => sum + (lap.totalTimerTime ?? 0), 0);
    expect(laps).toBe(fit.session.totalTimerTime);
  });
});

test("the host cancels the countdown, all riders are back in the lobby, and a new countdown starts the ride", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const both = [ana, ben];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await each(both, (rider) => rider.useSimulatedTrainer());
  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await each(both, ({ ride }) => expect(ride.countdown).toBeVisible());
  await expect(ben.ride.cancelStart).toBeHidden();

  await ana.ride.cancelCountdown();
  await each(both, ({ ride }) => expect(ride.countdown).toBeHidden());
  await each(both, ({ ride }) => expect(ride.heading("Long Ride")).toBeVisible());
  await expect(ben.ride.statusRegion).toContainText("Ana called the start off.");

  await ana.ride.startCountdown();
  await each(both, (rider) => rider.ride.expectRiding());
});

test("a double click on Pause, and Enter pressed twice, pause the ride and do nothing else", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideTogether(longRide, ana);
  await expect(ana.ride.metric("elapsed")).toHaveText(/0:0[1-9]/);
  await ana.ride.pause.dblclick();
  await expect(ana.ride.resume).toBeEnabled();
  await expect(ana.ride.statusRegion).not.toContainText("Only a running ride");

  await ana.ride.resumeRide();
  await expect(ana.ride.pause).toBeEnabled({ timeout: 10_000 });
  await expect(async () => {
    if (await ana.ride.pause.isVisible()) await ana.ride.pause.press("Enter", { timeout: 1_000 });
    await expect(ana.ride.resume).toBeVisible({ timeout: 400 });
  }).toPass();
  await ana.ride.resume.press("Enter");
  await expectToChange(ana.ride.metric("power"));
  await expect(ana.ride.resume).toBeEnabled();
  await expect(ana.ride.myRide.getByText("Resuming in")).toBeHidden();
});

test("a double click on End ride asks, and ends nothing", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideTogether(longRide, ana);
  await ana.ride.end.dblclick();
  await expectToChange(ana.ride.metric("power"));
  await expect(ana.ride.confirm).toBeVisible();
  await ana.ride.confirm.getByRole("button", { name: "Keep riding" }).click();
  await expect(ana.ride.confirm).toBeHidden();
});

test("the buttons of the host fit on a phone in two rows, each at least 48 px high, in every face", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideTogether(longRide, ana);
  await expectFaces(ana.page);
  const { back, skip, extend, pause, end, leave } = ana.ride;
  const boxes = () => Promise.all([back, skip, extend, pause, end, leave].map((button) => button.boundingBox()));
  for (const face of faces) {
    await test.step(face, async () => {
      await useFace(ana.page, face);
      await ana.page.setViewportSize({ width: 390, height: 844 });
      const narrow = await boxes();
      expect(rows(narrow)).toBeLessThanOrEqual(2);
      for (const box of narrow) expect(box!.height).toBeGreaterThanOrEqual(48);
      expect(await ana.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);

      await ana.page.setViewportSize({ width: 1440, height: 900 });
      expect(rows(await boxes())).toBe(1);
    });
  }
});

/** Number of rows in which the boxes stand: those of one row are centred on one line. */
function rows(boxes: ({ y: number; height: number } | null)[]): number {
  return new Set(boxes.map((box) => Math.round(box!.y + box!.height / 2))).size;
}

async function expectInterval(riders: Rider[], number: number): Promise<void> {
  await each(riders, ({ ride }) => expect(ride.myRide).toContainText(`Interval ${number} of 4`));
}
