import type { Page } from "@playwright/test";
import { withoutBluetooth } from "../fixtures/no_bluetooth.ts";
import { expect, test } from "../fixtures/test.ts";
import { fakeTrainer, pedal } from "../fixtures/trainer.ts";
import { zwo } from "../fixtures/workouts.ts";
import { BridgePage } from "../pages/bridge_page.ts";
import type { Rider } from "../pages/rider.ts";
import { saveTargetTimes, type TargetTimes } from "./figures.ts";
import { parameters } from "./parameters.ts";

declare global {
  interface Window {
    /** When the page first showed a target, in wall clock milliseconds, by its watts. */
    targetsShown?: Record<number, number>;
    /** When the page first sent a target over a data channel. */
    targetsSent?: Record<number, number>;
    /** When a target was first written to the trainer. */
    targetsWritten?: Record<number, number>;
  }
}

/** From 100 to 500 W for a rider with an FTP of 200 W: another target with each update of the page. */
const ramp = zwo("Ramp", `<Warmup Duration="60" PowerLow="0.5" PowerHigh="2.5"/>`);

/** Records the targets that the page shows. Runs in the page. */
function recordShown(): void {
  const shown: Record<number, number> = (window.targetsShown = {});
  const look = () => {
    const watts = Number(document.querySelector('[data-metric="target"]')?.textContent?.match(/\d+/)?.[0]);
    if (watts) shown[watts] ??= performance.timeOrigin + performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}

/** Records the targets that the page of Ana sends to her phone. Runs in the page. */
function recordSent(): void {
  const sent: Record<number, number> = (window.targetsSent = {});
  const send = RTCDataChannel.prototype.send as (this: RTCDataChannel, data: ArrayBufferView<ArrayBuffer>) => void;
  RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: ArrayBufferView<ArrayBuffer>) {
    const now = performance.timeOrigin + performance.now();
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    // The body of a load in CBOR: [0, watts, "Ana"].
    for (let at = bytes.indexOf(0x83); at >= 0; at = bytes.indexOf(0x83, at + 1)) {
      const [kind, head = 0, high = 0, low = 0] = bytes.subarray(at + 1);
      const [watts, length] = head === 0x19 ? [high * 256 + low, 3] : head === 0x18 ? [high, 2] : [head, 1];
      const name = String.fromCharCode(...bytes.subarray(at + 2 + length, at + 6 + length));
      if (kind === 0 && name === "cAna") sent[watts] ??= now;
    }
    send.call(this, data);
  } as typeof RTCDataChannel.prototype.send;
}

/** Records the targets that are written to the trainer. Runs in the page. */
function recordWritten(): void {
  const written: Record<number, number> = (window.targetsWritten = {});
  const { writes } = window.trainer!;
  writes.push = (...commands: number[][]) => {
    for (const [opcode, low = 0, high = 0] of commands) {
      if (opcode === 0x05) written[low + high * 256] ??= performance.timeOrigin + performance.now();
    }
    return Array.prototype.push.apply(writes, commands);
  };
}

async function measure(rider: Rider, trainer: Page): Promise<number[]> {
  await trainer.evaluate(recordWritten);
  await pedal(trainer, 110, 85);
  await rider.page.evaluate(recordShown);
  if (trainer !== rider.page) await rider.page.evaluate(recordSent);
  await rider.ride.share(ramp);
  await rider.ride.start.click();
  await rider.ride.expectRiding();
  await rider.page.waitForTimeout(parameters.seconds * 1_000);
  const written = await trainer.evaluate(() => window.targetsWritten!);
  // The page decides a target, sends it and shows it in one task, so it is sent before it is shown.
  const begun = await rider.page.evaluate(() => window.targetsSent ?? window.targetsShown!);
  return Object.entries(written).flatMap(([watts, at]) => {
    const from = begun[Number(watts)];
    return from === undefined ? [] : [Math.max(0, at - from)];
  });
}

test("targets reach the trainer of a phone", async ({ newRider }) => {
  const times: TargetTimes = { phone: [], page: [] };
  for (let ride = 0; ride < parameters.rides; ride += 1) {
    const ana = await newRider("Ana", 200, { before: withoutBluetooth });
    await ana.startRide();
    const link = await BridgePage.linkOf(ana.page);
    const { context } = await newRider("Phone", 200, { before: fakeTrainer });
    const phone = await BridgePage.open(context, link);
    await phone.expectConnected();
    await phone.pair("trainer");
    await expect(ana.page.getByText("Kickr Test is connected.")).toBeVisible();
    times.phone.push(...(await measure(ana, phone.page)));

    const ben = await newRider("Ben", 200, { before: fakeTrainer });
    await ben.startRide();
    await ben.ride.connectTrainer.click();
    await expect(ben.page.getByText("Kickr Test is connected.")).toBeVisible();
    times.page.push(...(await measure(ben, ben.page)));
    await Promise.all([ana.context.close(), context.close(), ben.context.close()]);
  }
  expect(Math.min(times.phone.length, times.page.length), "targets in each way").toBeGreaterThan(5);
  saveTargetTimes(times);
});
