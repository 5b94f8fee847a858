import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { rideTogether } from "../pages/rider.ts";

declare global {
  interface Window {
    wakeLocks: { pending: (() => void)[]; held: number; answerAtOnce: boolean; releaseAll: () => void };
  }
}

test("after the ride the screen may turn off, even if the page was woken three times at once", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: fakeWakeLock });
  await rideTogether(longRide, ana);
  await expect.poll(() => held(ana.page)).toBe(1);

  await wakeAsBrowsersDo(ana.page);
  expect(await ana.page.evaluate(() => window.wakeLocks.pending.length), "requests under way").toBe(1);
  await grant(ana.page);
  await expect.poll(() => held(ana.page)).toBe(1);

  await ana.ride.leave.click();
  await expect(ana.ride.summary).toBeVisible();
  await expect.poll(() => held(ana.page)).toBe(0);
});

test("a wake lock that comes after the ride is released", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: fakeWakeLock });
  await rideTogether(longRide, ana);
  await expect.poll(() => held(ana.page)).toBe(1);
  await wakeAsBrowsersDo(ana.page);
  await ana.ride.leave.click();
  await expect(ana.ride.summary).toBeVisible();
  await grant(ana.page);
  await expect.poll(() => held(ana.page)).toBe(0);
});

/** The page was hidden, so that the browser has released the lock, and all events of its return come in one task. */
async function wakeAsBrowsersDo(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.wakeLocks.answerAtOnce = false;
    window.wakeLocks.releaseAll();
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("pageshow"));
    window.dispatchEvent(new Event("online"));
  });
}

function held(page: Page): Promise<number> {
  return page.evaluate(() => window.wakeLocks.held);
}

async function grant(page: Page): Promise<void> {
  await page.evaluate(() => window.wakeLocks.pending.splice(0).forEach((answer) => answer()));
}

/** Replaces the browser's wake lock by one that answers when the test says so. Runs in the page. */
function fakeWakeLock(): void {
  const locks = new Set<{ released: boolean; release: () => Promise<void> }>();
  const state = {
    pending: [] as (() => void)[],
    answerAtOnce: true,
    get held() {
      return locks.size;
    },
    releaseAll: () => locks.forEach((lock) => void lock.release()),
  };
  const newLock = () => {
    const lock = {
      released: false,
      release: () => {
        lock.released = true;
        locks.delete(lock);
        return Promise.resolve();
      },
    };
    locks.add(lock);
    return lock;
  };
  const request = () =>
    new Promise((resolve) => {
      const answer = () => resolve(newLock());
      if (state.answerAtOnce) answer();
      else state.pending.push(answer);
    });
  Object.defineProperty(window, "wakeLocks", { value: state });
  Object.defineProperty(navigator, "wakeLock", { value: { request } });
}
