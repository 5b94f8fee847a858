import { Buffer } from "node:buffer";
import { halfMinute } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, rideTogether } from "../pages/rider.ts";
import { expect, test } from "./test.ts";

test("riders in Chromium and Firefox ride together, chat, and send a file over direct links", async ({ newRider, newFirefoxRider }) => {
  const [ana, fox] = [await newRider("Ana", 200), await newFirefoxRider("Fox", 250)];
  await rideTogether(halfMinute, ana, fox);

  await test.step("each sees the numbers of the other over a direct link", async () => {
    await ana.ride.card("Fox").expectLink("direct");
    await fox.ride.card("Ana").expectLink("direct");
    await expectToChange(ana.ride.card("Fox").metric("power"));
    await expectToChange(fox.ride.card("Ana").metric("power"));
    await expect(fox.ride.metric("target")).toHaveText(`${0.6 * fox.ftp}`);
  });

  await test.step("they chat", async () => {
    await each([ana, fox], ({ chat }) => chat.open());
    await ana.chat.say("Hello Firefox");
    await fox.chat.say("Hello Chromium");
    for (const { chat } of [ana, fox]) {
      await expect(chat.message("Hello Firefox").article).toBeVisible();
      await expect(chat.message("Hello Chromium").article).toBeVisible();
    }
  });

  await test.step("a file arrives whole in either direction", async () => {
    const content = Buffer.alloc(3_000_000, 5);
    for (const [sender, receiver] of [[ana, fox], [fox, ana]] as const) {
      const name = `from-${sender.name}.bin`;
      await sender.files.offer(receiver.name, { name, mimeType: "application/octet-stream", buffer: content });
      const transfer = receiver.files.transfer(name);
      await transfer.button("Accept").click();
      await transfer.expectState("complete", 60_000);
    }
  });

  await test.step("both see the summary", async () => {
    for (const { ride } of [ana, fox]) await expect(ride.summary).toBeVisible({ timeout: 60_000 });
  });
});
