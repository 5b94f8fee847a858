import { bluetoothArguments, EmulatedWahoo } from "../fixtures/emulated_bluetooth.ts";
import { expect, test } from "../fixtures/test.ts";
import { zwo } from "../fixtures/workouts.ts";

test.use({ launchOptions: async ({ launchOptions }, use) => use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...bluetoothArguments] }) });

const short = zwo(
  "Short",
  `<SteadyState Duration="6" Power="0.5"/><SteadyState Duration="6" Power="0.8"/><FreeRide Duration="6"/><SteadyState Duration="6" Power="0.6"/>`,
);

test("through the browser's own Bluetooth a trainer is chosen, connected, lost and found, and written to for a whole workout", async ({ newRider, browser }) => {
  const trainer = await EmulatedWahoo.start(browser);
  const ana = await newRider("Ana", 200);
  await trainer.chooseIn(ana.page);
  await ana.startRide();
  await ana.ride.connectTrainer.click();
  await expect(ana.page.getByText("Old Kickr is connected")).toBeVisible();

  // It comes back by itself, and is unlocked once more.
  await expect.poll(() => trainer.writes.map(([opcode]) => opcode)).toContain(0x46);
  const lost = expect(ana.page.getByText("The connection to Old Kickr is lost.")).toBeVisible();
  await trainer.drop();
  trainer.writes.length = 0;
  await lost;
  await expect.poll(() => trainer.writes[0], { timeout: 20_000 }).toEqual([0x20, 0xee, 0xfc]);
  await expect(ana.page.getByText("The connection to Old Kickr is lost.")).toBeHidden();

  await ana.ride.share(short);
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  await expect(ana.ride.summary).toBeVisible({ timeout: 40_000 });
  // The emulation cannot notify, so the app takes the trainer for silent, and connects it anew now and then: it is
  // unlocked again, and given the load of that moment.
  const names = trainer.writes.map(([opcode, low, high]) => (opcode === 0x42 ? `${low! + high! * 256} W` : { 0x20: "unlock", 0x43: "road", 0x46: "slope" }[opcode!]));
  const changes = names.filter((name, at) => name !== "unlock" && name !== "road" && names.slice(0, at).findLast((before) => before !== "unlock" && before !== "road") !== name);
  expect(changes).toEqual(["slope", "100 W", "160 W", "slope", "120 W", "slope"]);
  expect(names[0]).toBe("unlock");
  for (const [at, name] of names.entries()) {
    if (name === "road") expect(names[at + 1]).toBe("slope");
  }
  expect(trainer.writes.filter(([opcode]) => opcode === 0x42)).toContainEqual([0x42, 160, 0]);
});
