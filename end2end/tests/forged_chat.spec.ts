import { expect, test } from "../fixtures/test.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { each, gather } from "../pages/rider.ts";

/** Replaces "good morning" by "fake morning" in all that the page sends. Runs before all other scripts. */
function alterMessages(): void {
  const [from, to] = ["good morning", "fake morning"].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array];
  const altered = (data: unknown): unknown => {
    if (!ArrayBuffer.isView(data) && !(data instanceof ArrayBuffer)) return data;
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data.slice(0)) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    for (let at = 0; at + from.length <= bytes.length; at++) {
      if (from.every((byte, index) => bytes[at + index] === byte)) bytes.set(to, at);
    }
    return bytes;
  };
  for (const prototype of [RTCDataChannel.prototype, WebSocket.prototype] as { send(data: unknown): void }[]) {
    const send = prototype.send;
    prototype.send = function (data: unknown) {
      send.call(this, altered(data));
    };
  }
}

test("a late rider sees no message that another rider has altered, and which senders cannot be verified", async ({ newRider }) => {
  const [ana, cem] = [await newRider("Ana", 200), await newRider("Cem", 320)];
  const ben = await newRider("Ben", 250, { before: alterMessages });
  await gather(ana, ben, cem);
  await each([ana, ben, cem], ({ chat }) => chat.open());
  await ana.chat.say("good morning");
  await cem.chat.say("Back soon");
  await expect(ben.chat.texts()).toHaveText(["good morning", "Back soon"]);
  await ben.chat.say("I stay");
  await each([ana, cem], async (rider) => {
    await expect(rider.chat.message("I stay").article).toBeVisible();
    await rider.chat.close();
    await rider.ride.leave.click();
    await expect(rider.page.getByRole("heading", { name: "You have left the ride" })).toBeVisible();
  });
  await expect(ben.ride.riders.getByRole("article")).toHaveCount(1);

  const dora = await newRider("Dora", 180);
  await dora.acceptInvitation(ben.invitation);
  await dora.expectLobby();
  await dora.chat.open();
  await expect(dora.chat.texts()).toHaveText(["Back soon", "I stay"]);
  const { article } = dora.chat.message("Back soon");
  await expect(article).toHaveAttribute("data-verified", "false");
  await expect(article).toContainText("unverified");
  await expect(dora.chat.message("I stay").article).toHaveAttribute("data-verified", "true");
  const panel = new ConnectionPanel(dora.page);
  await panel.open();
  await expect(panel.total("ignored")).not.toHaveText("0");
});
