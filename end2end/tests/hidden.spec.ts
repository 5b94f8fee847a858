import { setTimeout } from "node:timers/promises";
import { HideableBrowser } from "../fixtures/hideable.ts";
import { noteFrames, withoutDirectLinks } from "../fixtures/probes.ts";
import { noteSightings } from "../fixtures/sightings.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { eachPair, expectSameSecond, Rider, rideTogether } from "../pages/rider.ts";

declare global {
  interface Window {
    /** How long the page has been hidden, in seconds, and how often a timer of its own rang meanwhile. */
    hidden?: { seconds: number; rang: number };
  }
}

/** Lets a timer of the page itself ring ten times a second, and counts while nobody sees the page. Runs in the page. */
function countWhileHidden(): void {
  let hidden = 0;
  setInterval(() => {
    if (!document.hidden) return;
    window.hidden ??= { seconds: 0, rang: 0 };
    window.hidden.rang += 1;
    window.hidden.seconds = (performance.now() - hidden) / 1_000;
  }, 100);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hidden = performance.now();
  });
}

/** What a page noted from one moment of the wall clock to another. Runs in the page. */
function whatWasSeen({ from, to }: { from: number; to: number }) {
  const within = (at: number) => from <= at && at <= to;
  return {
    ...window.hidden!,
    came: window.framesCame!.filter(within),
    changed: Object.values(window.sightings!).flat().filter(({ at }) => within(at)),
  };
}

/** Longer than anybody is waited for, in milliseconds. */
const HIDDEN = 20_000;

for (const [link, browserIs] of [["direct", () => {}], ["relayed", withoutDirectLinks]] as const) {
  test(`riders whose tabs are all hidden keep their ${link} link, its beats, the numbers and the second of the ride`, async ({ server, faults }) => {
    const browsers = await Promise.all([HideableBrowser.launch(), HideableBrowser.launch()]);
    try {
      const enter = async (index: 0 | 1, name: string, ftp: number) => {
        const { context } = browsers[index];
        faults.watch(context, name);
        for (const script of [browserIs, noteSightings, noteFrames, countWhileHidden]) await context.addInitScript(script);
        return new Rider(await context.newPage(), name, ftp, server.origin);
      };
      const [ana, ben] = [await enter(0, "Ana", 200), await enter(1, "Ben", 250)];
      await rideTogether(longRide, ana, ben);
      await eachPair([ana, ben], async (watcher, other) => {
        const card = watcher.ride.card(other.name);
        await card.expectLink(link);
        await expectToChange(card.metric("power"));
      });
      const hidden = Date.now();
      const ridden = await ana.ride.elapsed();

      await Promise.all(browsers.map((browser) => browser.hide()));
      // Whoever looked at a page in the meantime would wake it.
      await setTimeout(HIDDEN);
      const shown = Date.now();
      const [anasPage, bensPage] = await Promise.all(browsers.map((browser) => browser.show()));
      const back = [new Rider(anasPage!, "Ana", 200), new Rider(bensPage!, "Ben", 250)] as const;

      const apart = (await back[0].ride.elapsed()) - ridden - (Date.now() - hidden) / 1_000;
      expect(Math.abs(apart), "seconds between the clock and the ride's").toBeLessThan(2);
      await expectSameSecond(...back);
      for (const [watcher, other] of [back, [back[1], back[0]] as const]) {
        const { rang, seconds, came, changed } = await watcher.page.evaluate(whatWasSeen, { from: hidden, to: shown });
        expect(seconds, "seconds out of sight").toBeGreaterThan(HIDDEN / 1_000 - 1);
        expect(rang / seconds, "how often a second a timer of the page itself rang").toBeLessThan(2);
        const silences = came.slice(1).map((at, index) => at - came[index]!).sort((one, other) => one - other);
        expect(came.length / seconds, "frames that came from the other in a second").toBeGreaterThan(3);
        expect(silences[Math.floor(0.95 * silences.length)], "milliseconds of silence, p95").toBeLessThan(800);
        expect(changed, "what changed of the other's link and the age of the numbers").toEqual([]);
        await expectToChange(watcher.ride.card(other.name).metric("power"));
      }
    } finally {
      await Promise.all(browsers.map((browser) => browser.close()));
    }
  });
}
