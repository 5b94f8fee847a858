import type { Page } from "@playwright/test";
import { recordTones, type Tone } from "../fixtures/audio.ts";
import { expect, test } from "../fixtures/test.ts";
import { file, halfMinute, longRide } from "../fixtures/workouts.ts";
import { rideTogether } from "../pages/rider.ts";

const tones = (page: Page) => page.evaluate(() => (window as unknown as { tones: Tone[] }).tones);

test("a rider's bias changes the own target alone, and stays over a reload", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 200)];
  await rideTogether(longRide, ana, ben);
  await expect(ben.ride.metric("target")).toHaveText("120");
  const raise = ben.page.getByRole("button", { name: "Raise my targets" });
  await raise.click();
  await raise.click();
  await expect(ben.ride.metric("bias")).toHaveText("110");
  await expect(ben.ride.metric("target")).toHaveText("132");
  await expect(ana.ride.card("Ben").metric("target")).toHaveText("132");
  await expect(ana.ride.metric("target")).toHaveText("120");

  await ben.page.reload();
  await ben.ride.expectRiding();
  await expect(ben.ride.metric("bias")).toHaveText("110");
  await expect(ben.ride.metric("target")).toHaveText("132");
  for (let bias = 110; bias > 70; bias -= 5) await ben.page.getByRole("button", { name: "Lower my targets" }).click();
  await expect(ben.ride.metric("bias")).toHaveText("70");
  await expect(ben.page.getByRole("button", { name: "Lower my targets" })).toBeDisabled();
});

test("three short tones and a long one announce each interval, unless the sound is off", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: recordTones });
  const ben = await newRider("Ben", 200, { before: recordTones });
  await rideTogether(halfMinute, ana, ben);
  const start = [880, 880, 880, 1320];
  const frequencies = async () => (await tones(ana.page)).map((tone) => tone.frequency);
  await expect.poll(frequencies).toEqual(start);

  const sound = ben.page.getByRole("button", { name: /^Sound/ });
  await expect(sound).toHaveText("Sound: low");
  await sound.click();
  await expect(sound).toHaveText("Sound: loud");
  await sound.click();
  await expect(sound).toHaveText("Sound: off");
  const before = (await tones(ben.page)).length;

  await expect(ana.ride.myRide).toContainText("Interval 2 of 3", { timeout: 20_000 });
  await expect.poll(frequencies).toEqual([...start, ...start]);
  const heard = (await tones(ana.page)).slice(-4);
  for (const [earlier, later] of heard.slice(1).map((tone, at) => [heard[at], tone] as const)) {
    expect(later.at - earlier.at).toBeGreaterThan(500);
  }
  expect(await tones(ben.page)).toHaveLength(before);
});

test("the test of FTP offers what it has measured, and the next ride is at the new FTP", { tag: "@variant" }, async ({ newRider }) => {
  test.setTimeout(180_000);
  const ana = await newRider("Ana", 200);
  const minute = { duration: 70, percentage: 150 };
  const ramp = JSON.stringify({ name: "Short ramp", ftpTest: "ramp", intervals: [minute, { duration: 20, percentage: 50 }] });
  await rideTogether(file("ramp.json", ramp, "application/json"), ana);
  await expect(ana.ride.summary).toBeVisible({ timeout: 120_000 });
  const accept = ana.ride.summary.getByRole("button", { name: /^Use \d+ W$/ });
  const measured = Number((await accept.innerText()).match(/\d+/)?.[0]);
  // Three quarters of about 300 W.
  expect(measured).toBeGreaterThan(215);
  expect(measured).toBeLessThan(235);
  await accept.click();
  await expect(accept).toBeHidden();
  await expect(ana.ride.statusRegion).toHaveText(`Your FTP is ${measured} W from the next ride on.`);
  await ana.home.open();
  await expect(ana.page.getByLabel("FTP")).toHaveValue(String(measured));
});
