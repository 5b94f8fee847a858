import { setTimeout } from "node:timers/promises";
import { HideableBrowser } from "../fixtures/hideable_browser.ts";
import { recordFrameTimes, disableWebRtc } from "../fixtures/probes.ts";
import { recordLinkHistory } from "../fixtures/link_history.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { eachPair, expectSameSecond, Rider, rideTogether } from "../pages/rider.ts";

declare global {
  interface Window {
    /** How long the page has been hidden, in seconds, and how often an interval timer of the page fired meanwhile. */
    hidden?: { seconds: number; ticks: number };
  }
}

/** Starts an interval timer of the page at ten times a second, and counts its ticks while the page is hidden. Runs in the page. */
function countWhileHidden(): void {
  let hidden = 0;
  setInterval(() => {
    if (!document.hidden) return;
    window.hidden ??= { seconds: 0, ticks: 0 };
    window.hidden.ticks += 1;
    window.hidden.seconds = (performance.now() - hidden) / 1_000;
  }, 100);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hidden = performance.now();
  });
}

/** The records of a page between two moments of the wall clock. Runs in the page. */
function recordsBetween({ from, to }: { from: number; to: number }) {
  const within = (at: number) => from <= at && at <= to;
  return {
    ...window.hidden!,
    frames: window.frameTimes!.filter(within),
    changed: Object.values(window.linkHistory!).flat().filter(({ at }) => within(at)),
  };
}

/** Time in milliseconds that the tabs are hidden: longer than all timeouts for silent peers. */
const HIDDEN_MS = 20_000;
/** Interval in milliseconds of a throttled timer, by which the page measures how long it is hidden. The last tick lies up to one interval back. */
const THROTTLED_TICK_MS = 1_000;

for (const [link, linkScript] of [["direct", () => {}], ["relayed", disableWebRtc]] as const) {
  test(`riders with hidden tabs keep their ${link} link, its heartbeats, fresh numbers and the position in the ride`, async ({ server, browserErrors }) => {
    const browsers = await Promise.all([HideableBrowser.launch(), HideableBrowser.launch()]);
    try {
      const newRider = async (index: 0 | 1, name: string, ftp: number) => {
        const { context } = browsers[index];
        browserErrors.watch(context, name);
        for (const script of [linkScript, recordLinkHistory, recordFrameTimes, countWhileHidden]) await context.addInitScript(script);
        return new Rider(await context.newPage(), name, ftp, server.origin);
      };
      const [ana, ben] = [await newRider(0, "Ana", 200), await newRider(1, "Ben", 250)];
      await rideTogether(longRide, ana, ben);
      await eachPair([ana, ben], async (watcher, other) => {
        const card = watcher.ride.card(other.name);
        await card.expectLink(link);
        await expectToChange(card.metric("power"));
      });
      const hidden = Date.now();
      const ridden = await ana.ride.elapsed();

      await Promise.all(browsers.map((browser) => browser.hide()));
      // Any access to a page in the meantime would make it visible.
      await setTimeout(HIDDEN_MS + THROTTLED_TICK_MS);
      const shown = Date.now();
      const [anasPage, bensPage] = await Promise.all(browsers.map((browser) => browser.show()));
      const back = [new Rider(anasPage!, "Ana", 200), new Rider(bensPage!, "Ben", 250)] as const;

      const apart = (await back[0].ride.elapsed()) - ridden - (Date.now() - hidden) / 1_000;
      expect(Math.abs(apart), "seconds between wall clock and ride time").toBeLessThan(2);
      await expectSameSecond(...back);
      for (const [watcher, other] of [back, [back[1], back[0]] as const]) {
        const { ticks, seconds, frames, changed } = await watcher.page.evaluate(recordsBetween, { from: hidden, to: shown });
        expect(seconds, "seconds hidden").toBeGreaterThan(HIDDEN_MS / 1_000 - 1);
        expect(ticks / seconds, "ticks per second of a timer of the page").toBeLessThan(2);
        const gaps = frames.slice(1).map((at, index) => at - frames[index]!).sort((one, other) => one - other);
        expect(frames.length / seconds, "frames received per second").toBeGreaterThan(3);
        expect(gaps[Math.floor(0.95 * gaps.length)], "milliseconds between frames, p95").toBeLessThan(800);
        expect(changed, "changes of link state and staleness").toEqual([]);
        await expectToChange(watcher.ride.card(other.name).metric("power"));
      }
    } finally {
      await Promise.all(browsers.map((browser) => browser.close()));
    }
  });
}
