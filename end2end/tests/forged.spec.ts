import { expect, test } from "../fixtures/test.ts";
import { fourSteps } from "../fixtures/workouts.ts";
import { Panel } from "../pages/panel.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { rideTogether } from "../pages/rider.ts";

declare global {
  interface Window {
    /** Whether what this page sends reliably is altered on its way. */
    altered?: boolean;
  }
}

/** Alters the last byte of what goes over the ordered data channels, which is of the host's signature. Runs in the page. */
function alterOnItsWay(): void {
  const LONGER_THAN_AN_ACKNOWLEDGEMENT = 100;
  const send = RTCDataChannel.prototype.send as (data: Uint8Array<ArrayBuffer>) => void;
  RTCDataChannel.prototype.send = function (data: unknown) {
    const bytes = new Uint8Array(data as Uint8Array<ArrayBuffer>);
    if (window.altered && this.ordered && bytes.length > LONGER_THAN_AN_ACKNOWLEDGEMENT) bytes[bytes.length - 1]! ^= 1;
    send.call(this, bytes);
  };
}

test("a host's word that was altered on its way counts for nobody and is counted, and the true one comes through", async ({ enter }) => {
  const ana = await enter("Ana", 200, { before: alterOnItsWay });
  const ben = await enter("Ben", 250);
  await rideTogether(fourSteps, ana, ben);
  await ben.ride.card("Ana").expectLink("direct");
  const panel = new Panel(ben.page);
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
