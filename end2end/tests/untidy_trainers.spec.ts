import { expect, test, type NewRider } from "../fixtures/test.ts";
import { commands, fakeTrainer, pedal, setTrainer, targetPower } from "../fixtures/trainer.ts";
import { longRide, zwo } from "../fixtures/workouts.ts";
import type { Rider } from "../pages/rider.ts";

/** A rider who pedals on a trainer with these switches, at 110 W and 85 rpm unless it sends something else. */
async function riderOn(newRider: NewRider, switches: Parameters<typeof setTrainer>[1]): Promise<Rider> {
  const ana = await newRider("Ana", 200, { before: fakeTrainer });
  await ana.startRide();
  await pedal(ana.page, 110, 85);
  await setTrainer(ana.page, switches);
  await ana.ride.connectTrainer.click();
  return ana;
}

async function ride(rider: Rider): Promise<void> {
  await rider.ride.share(longRide);
  await rider.ride.start.click();
  await rider.ride.expectRiding();
}

const littleEndian = (value: number) => [value & 0xff, (value >> 8) & 0xff];

test("power and cadence in notifications of their own are both shown, and a power of 0 is a number", async ({ newRider }) => {
  const power = (watts: number) => [...littleEndian(0x41), ...littleEndian(watts)];
  const cadence = [...littleEndian(0x05), ...littleEndian(2 * 85)];
  const ana = await riderOn(newRider, { packets: [power(110), cadence] });
  await ride(ana);
  await expect(ana.ride.metric("power")).toHaveText("110");
  await expect(ana.ride.metric("cadence")).toHaveText("85");
  await setTrainer(ana.page, { packets: [power(0), cadence] });
  await expect(ana.ride.metric("power")).toHaveText("0");
  await setTrainer(ana.page, { packets: [power(105)] });
  await expect(ana.ride.metric("cadence")).toHaveText("–");
  await expect(ana.ride.metric("power")).toHaveText("105");
});

for (const [name, range] of [
  ["of zeros", [0, 0, 0, 0, 0, 0]],
  ["that is reversed", [...littleEndian(800), ...littleEndian(25), ...littleEndian(1)]],
  ["that is cut off", [25, 0]],
] as const) {
  test(`a range of powers ${name} limits no target`, { tag: "@variant" }, async ({ newRider }) => {
    const ana = await riderOn(newRider, { range: [...range] });
    await ride(ana);
    await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(120));
    expect((await commands(ana.page)).filter(([opcode]) => opcode === 0x05)).toEqual([targetPower(120)]);
  });
}

test("a trainer without a range of powers and without features is controlled all the same", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderOn(newRider, { missing: [0x2acc, 0x2ad6, 0x2ad8] });
  await ride(ana);
  await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(120));
  await expect(ana.ride.metric("power")).toHaveText("110");
});

test("fields that are announced and absent are missing, and those that are there are used", { tag: "@variant" }, async ({ newRider }) => {
  // Instantaneous cadence, power and heart rate are announced; the packet ends after the power.
  const packet = [...littleEndian(0x01 | 0x04 | 0x40 | 0x200), ...littleEndian(2 * 85), ...littleEndian(110)];
  const ana = await riderOn(newRider, { packet });
  await ride(ana);
  await expect(ana.ride.metric("power")).toHaveText("110");
  await expect(ana.ride.metric("cadence")).toHaveText("85");
  await expect(ana.ride.metric("heart-rate")).toHaveText("–");
});

test("a heart rate of 0 is no reading, a power of 0 is one", { tag: "@variant" }, async ({ newRider }) => {
  const packet = (beats: number) => [...littleEndian(0x01 | 0x04 | 0x40 | 0x200), ...littleEndian(0), ...littleEndian(0), beats];
  const ana = await riderOn(newRider, { packet: packet(130) });
  await ride(ana);
  await expect(ana.ride.metric("heart-rate")).toHaveText("130");
  await setTrainer(ana.page, { packet: packet(0) });
  await expect(ana.ride.metric("heart-rate")).toHaveText("–");
  await expect(ana.ride.metric("power")).toHaveText("0");
});

test("a trainer that answers success to everything and follows nothing is given each target once", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderOn(newRider, { features: [0, 0, 0, 0, 0, 0, 0, 0] });
  await ride(ana);
  await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(120));
  await expect.poll(() => ana.ride.elapsed(), { timeout: 30_000 }).toBeGreaterThanOrEqual(6);
  expect((await commands(ana.page)).filter(([opcode]) => opcode === 0x05)).toEqual([targetPower(120)]);
  await expect(ana.ride.metric("power")).toHaveText("110");
});

test("a trainer that answers after the time limit is followed again", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderOn(newRider, { answersAfter: 4_000 });
  await ride(ana);
  await expect.poll(() => commands(ana.page), { timeout: 20_000 }).toContainEqual(targetPower(120));
  await expect(ana.ride.metric("power")).toHaveText("110");
  await setTrainer(ana.page, { answersAfter: 0 });
  await expect(ana.page.getByText(/does not answer when|gives no control/)).toBeHidden({ timeout: 40_000 });
});

test("a whole workout is written to a Fitness Machine byte by byte, each target once and in order", async ({ newRider }) => {
  const short = zwo(
    "Short",
    `<SteadyState Duration="5" Power="0.5"/><SteadyState Duration="5" Power="0.8"/><FreeRide Duration="5"/><SteadyState Duration="5" Power="0.6"/>`,
  );
  const ana = await riderOn(newRider, {});
  await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
  await ana.ride.share(short);
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  await expect(ana.ride.summary).toBeVisible({ timeout: 40_000 });
  const level = [0x11, 0, 0, 0, 0, 0x28, 0x33];
  // Request Control, a level road until the start, the targets, and a level road for the free ride and at the end.
  expect(await commands(ana.page)).toEqual([[0x00], level, targetPower(100), targetPower(160), level, targetPower(120), level]);
});

test("the levels of a bike lie in its own range", { tag: "@variant" }, async ({ newRider }) => {
  const resistanceRange = [...littleEndian(200), ...littleEndian(0), ...littleEndian(10)];
  const ana = await riderOn(newRider, { features: [0x87, 0x44, 0, 0, 0x04, 0, 0, 0], resistanceRange });
  await ride(ana);
  await ana.page.getByRole("button", { name: "More load" }).click();
  await expect(ana.ride.metric("load")).toHaveText("25");
  await expect.poll(async () => (await commands(ana.page)).at(-1)).toEqual([0x04, 50]);
});

test("a trainer that never answers a target measures on, and says so", async ({ newRider }) => {
  const ana = await riderOn(newRider, { answers: { 0x05: null } });
  await ride(ana);
  await expect(ana.page.getByText("Kickr Test does not answer when a target is set.")).toBeVisible({ timeout: 30_000 });
  await expect(ana.ride.metric("power")).toHaveText("110");
  await setTrainer(ana.page, { answers: {} });
  await expect(ana.page.getByText(/does not answer when/)).toBeHidden({ timeout: 40_000 });
});

test("a trainer that answers late is followed, and not reported", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderOn(newRider, { answersAfter: 2_000 });
  await ride(ana);
  await expect.poll(() => commands(ana.page), { timeout: 15_000 }).toContainEqual(targetPower(120));
  await expect.poll(() => ana.ride.elapsed(), { timeout: 30_000 }).toBeGreaterThanOrEqual(9);
  await expect(ana.page.getByText(/Kickr Test/)).toBeHidden();
  expect((await commands(ana.page)).filter(([opcode]) => opcode === 0x05)).toEqual([targetPower(120)]);
});

test("a console that sends data only after it was started is started", async ({ newRider }) => {
  const ana = await riderOn(newRider, { sendsAfter: 0x07 });
  await expect(ana.page.getByText("Kickr Test is connected but sends no data.")).toBeVisible();
  await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
  expect(await commands(ana.page)).toContainEqual([0x07]);
  await expect(ana.page.getByRole("group", { name: "Trainer" })).toContainText("110 W");
});

test("a console that stops sending when it is controlled is ridden without control", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderOn(newRider, { stopsAfter: 0x00 });
  await expect(ana.page.getByText("Kickr Test stops sending data when it is controlled")).toBeVisible({ timeout: 60_000 });
  await expect(ana.page.getByRole("group", { name: "Trainer" })).toContainText("110 W");
});

test("a trainer that wants a reset first is reset, and then follows", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderOn(newRider, { grantsAfter: 0x01 });
  await expect(ana.page.getByText(/gives no control/)).toBeVisible();
  await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
  await ride(ana);
  await expect.poll(() => commands(ana.page)).toContainEqual(targetPower(120));
});

test("a bike that takes only resistance is ridden by levels, and offers no ERG mode", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await riderOn(newRider, { features: [0x87, 0x44, 0, 0, 0x04, 0, 0, 0], answers: { 0x05: 0x02 } });
  await expect(ana.page.getByText("Kickr Test takes no target in watts.")).toBeVisible();
  await ride(ana);
  await expect(ana.page.getByRole("button", { name: /^ERG/ })).toBeHidden();
  await expect(ana.ride.metric("load")).toHaveText("20");
  await ana.page.getByRole("button", { name: "More load" }).click();
  await expect(ana.ride.metric("load")).toHaveText("25");
  await expect.poll(async () => (await commands(ana.page)).at(-1)).toEqual([0x04, 25]);
  await expect(ana.ride.metric("power")).toHaveText("110");
});
