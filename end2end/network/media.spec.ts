import type { Page } from "@playwright/test";
import { fakeDevices, received } from "../fixtures/media.ts";
import { eachPair, type Rider } from "../pages/rider.ts";
import { stunOnly, withTurn } from "./fixtures/coturn.ts";
import { joinPair } from "./fixtures/joining.ts";
import { expect, test, type NewRider } from "./fixtures/test.ts";

test.use({ browserOptions: fakeDevices });

/** Ana and Ben, whose network forbids UDP, both with a microphone that is live. */
async function speakingPair(newRider: NewRider): Promise<[Rider, Rider]> {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  ben.site.impair("no-udp");
  await joinPair(ana.rider, ben.rider);
  for (const { rider } of [ana, ben]) await rider.media.goLive("Microphone");
  return [ana.rider, ben.rider];
}

/** Energy of all sound that has arrived at a page. */
async function heard(page: Page): Promise<number> {
  const energies = (await received(page)).map(({ audioEnergy }) => audioEnergy);
  return energies.reduce((sum, energy) => sum + energy, 0);
}

test.describe("with a STUN server", () => {
  test.use({ settings: stunOnly });

  test("a rider on a network without UDP is shown as not reachable for voice, and the numbers arrive", async ({ newRider, coturn: _ }) => {
    test.setTimeout(240_000);
    const pair = await speakingPair(newRider);
    await eachPair(pair, async (watcher, other) => {
      const card = watcher.ride.card(other.name);
      await expect(card.article).toContainText("not reachable for voice", { timeout: 60_000 });
      await watcher.media.expectVoice(card.article, /^unreachable$/);
      await card.expectLink("relayed");
      await expect(card.article).not.toHaveAttribute("data-stale", "true");
    });
    for (const { page } of pair) expect(await heard(page)).toBe(0);
  });
});

test.describe("with a TURN server", () => {
  test.use({ settings: withTurn });

  test("a rider on a network without UDP is heard and hears the others", async ({ newRider, coturn: _ }) => {
    const pair = await speakingPair(newRider);
    for (const { page } of pair) await expect.poll(() => heard(page), { timeout: 60_000 }).toBeGreaterThan(0);
    await eachPair(pair, (watcher, other) => watcher.media.expectVoice(watcher.ride.card(other.name).article, /^(live|speaking)$/));
  });
});
