import { expect, test } from "../fixtures/test.ts";
import { fourSteps } from "../fixtures/workouts.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { rideTogether } from "../pages/rider.ts";

declare global {
  interface Window {
    /** True while messages that this page sends over ordered channels are altered. */
    altered?: boolean;
  }
}

/** Alters the last byte of messages on ordered data channels, which belongs to the host's signature. Runs in the page. */
function alterMessages(): void {
  const ACKNOWLEDGEMENT_SIZE = 100;
  const send = RTCDataChannel.prototype.send as (data: Uint8Array<ArrayBuffer>) => void;
  RTCDataChannel.prototype.send = function (data: unknown) {
    const bytes = new Uint8Array(data as Uint8Array<ArrayBuffer>);
    if (window.altered && this.ordered && bytes.length > ACKNOWLEDGEMENT_SIZE) bytes[bytes.length - 1]! ^= 1;
    send.call(this, bytes);
  };
}

test("an altered event of the host is rejected and counted, and the original is applied later", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: alterMessages });
  const ben = await newRider("Ben", 250);
  await rideTogether(fourSteps, ana, ben);
  await ben.ride.card("Ana").expectLink("direct");
  const panel = new ConnectionPanel(ben.page);
  await panel.open();
  await expect(panel.total("ignored")).toHaveText("0");

  await ana.page.evaluate(() => (window.altered = true));
  await ana.ride.skip.click();
  await expect(ana.ride.metric("target")).toHaveText(`${0.7 * ana.ftp}`);
  await expect(panel.total("ignored")).not.toHaveText("0");
  await expectToChange(ben.ride.metric("elapsed"));
  await expect(ben.ride.metric("target")).toHaveText(`${0.6 * ben.ftp}`);

  await ana.page.evaluate(() => (window.altered = false));
  await expect(ben.ride.metric("target")).toHaveText(`${0.7 * ben.ftp}`);
});
