import { Buffer } from "node:buffer";
import { Encoder, Profile } from "@garmin/fitsdk";
import type { Page } from "@playwright/test";
import { rideArchive, steady, fiveTimesFour, type ArchivedRide } from "../fixtures/rides.ts";
import { expect, test } from "../fixtures/test.ts";
import { zwo } from "../fixtures/workouts.ts";
import { RidesPage } from "../pages/rides_page.ts";
import { saveFigures } from "./figures.ts";

const TWO_HOURS = 7_200;
const RUNS = 5;

/** The clocks and timers of the page run 40 times as fast. Runs in the page before all scripts. */
function speedUp(): void {
  const factor = 40;
  const now = performance.now.bind(performance);
  const [start, date] = [now(), Date.now()];
  const passed = () => (now() - start) * factor;
  performance.now = () => start + passed();
  Date.now = () => Math.floor(date + passed());
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, delay: unknown) {
    postMessage.call(this, typeof delay === "number" ? delay / factor : delay);
  } as typeof postMessage;
  const { setTimeout } = window;
  window.setTimeout = ((run: TimerHandler, delay = 0, ...rest: unknown[]) => setTimeout(run, delay / factor, ...rest)) as typeof window.setTimeout;
}

/** Keeps the memory of the app's module, which the browser counts nowhere else, in `window.moduleMemory`. Runs in the page. */
function catchModuleMemory(): void {
  for (const name of ["instantiate", "instantiateStreaming"] as const) {
    const instantiate = WebAssembly[name] as (...parameters: unknown[]) => Promise<WebAssembly.Instance & { instance?: WebAssembly.Instance }>;
    WebAssembly[name] = (async (...parameters: unknown[]) => {
      const result = await instantiate(...parameters);
      const { memory } = (result.instance ?? result).exports;
      if (memory instanceof WebAssembly.Memory) Object.assign(window, { moduleMemory: memory });
      return result;
    }) as never;
  }
}

/** Memory of the page in MB, after a garbage collection. */
async function memory(page: Page): Promise<number> {
  const module = Number(await page.evaluate("moduleMemory.buffer.byteLength"));
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const usage = (await session.send("Runtime.getHeapUsage")) as unknown as Record<string, number>;
  await session.detach();
  return (module + usage.usedSize! + (usage.embedderHeapUsedSize ?? 0)) / 1e6;
}

test("memory of a ride of two hours", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: speedUp });
  await ana.context.addInitScript(catchModuleMemory);
  await ana.page.goto("/solo");
  await ana.ride.share(zwo("Two Hours", `<SteadyState Duration="${TWO_HOURS}" Power="0.6"/>`));
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  await expect.poll(() => ana.ride.elapsed(), { timeout: 120_000 }).toBeGreaterThanOrEqual(300);
  const before = await memory(ana.page);
  await expect.poll(() => ana.ride.elapsed(), { timeout: 600_000 }).toBeGreaterThanOrEqual(TWO_HOURS - 200);
  const after = await memory(ana.page);
  await expect(ana.ride.summary).toBeVisible({ timeout: 120_000 });
  await ana.page.getByRole("link", { name: "See the analysis" }).click();
  await expect(new RidesPage(ana.page).figure("duration")).toHaveText("2:00:00");
  saveFigures({ "Growth of memory in two hours of riding, MB": [after - before], "Memory after five minutes, MB": [before] });
});

/** Milliseconds from a click until a condition holds and a frame was drawn. */
async function measure(page: Page, selector: string, done: string): Promise<number> {
  return page.evaluate(
    async ([selector, done]) => {
      const isDone = new Function(`return ${done}`) as () => boolean;
      const began = performance.now();
      document.querySelector<HTMLElement>(selector!)!.click();
      while (!isDone()) await new Promise((resolve) => requestAnimationFrame(resolve));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - began;
    },
    [selector, done],
  );
}

test("a ride of two hours is opened and written as a FIT file", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const rides = new RidesPage(ana.page);
  await rides.open();
  const { intervals, ...ride } = fiveTimesFour("solo/1", new Date("2026-11-27T18:00:00Z"));
  const long: ArchivedRide = { ...ride, intervals: [...intervals, ...intervals, { seconds: TWO_HOURS - 6_000, share: 0.6, kind: 1 }] };
  await rides.import(rideArchive([long]));
  await expect(rides.entries).toHaveCount(1);
  const opened: number[] = [];
  const written: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    opened.push(await measure(ana.page, "[data-ride] a", `document.querySelector(".ride-plot canvas") && document.querySelector('[data-curve="mean-max"] canvas')`));
    await expect(rides.figure("duration")).toHaveText("2:00:00");
    written.push(
      await ana.page.evaluate(async () => {
        const began = performance.now();
        const { click } = HTMLAnchorElement.prototype;
        const saved = new Promise<number>((resolve) => {
          HTMLAnchorElement.prototype.click = function () {
            resolve(performance.now());
          };
        });
        [...document.querySelectorAll("button")].find((button) => button.textContent === "Download FIT")!.click();
        const ended = await saved;
        HTMLAnchorElement.prototype.click = click;
        return ended - began;
      }),
    );
    await rides.open();
    await expect(rides.entries).toHaveCount(1);
  }
  const peer = Array.from({ length: RUNS }, encodeBySdk);
  saveFigures({ "Page of a ride of two hours, ms": opened, "FIT file of two hours, ms": written, "The SDK of Garmin in Node, ms": peer });
});

/** Time in milliseconds in which the official SDK writes two hours of records. */
function encodeBySdk(): number {
  const began = performance.now();
  const start = new Date("2026-11-27T18:00:00Z");
  const encoder = new Encoder();
  // The types of the package do not know the fields of messages.
  const write = (kind: number, fields: object) => encoder.onMesg(kind, fields as Parameters<Encoder["onMesg"]>[1]);
  write(Profile.MesgNum.FILE_ID, { type: "activity", manufacturer: "development", product: 0, timeCreated: start, serialNumber: 7 });
  for (let second = 0; second < TWO_HOURS; second += 1) {
    const timestamp = new Date(start.getTime() + second * 1_000);
    write(Profile.MesgNum.RECORD, { timestamp, power: 200, cadence: 88, heartRate: 140, speed: 9, distance: second * 9 });
  }
  write(Profile.MesgNum.LAP, { timestamp: start, startTime: start, totalTimerTime: TWO_HOURS });
  write(Profile.MesgNum.SESSION, { timestamp: start, startTime: start, totalTimerTime: TWO_HOURS, sport: "cycling" });
  expect(encoder.close().length).toBeGreaterThan(100_000);
  return performance.now() - began;
}

test("500 rides are listed", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const rides = new RidesPage(ana.page);
  await rides.open();
  const many = Array.from({ length: 500 }, (_, index) => steady(`solo/${index}`, new Date(Date.UTC(2026, 0, 1, 6) + index * 12 * 3_600_000), 600));
  const archive = rideArchive(many);
  await ana.page.locator("#rides-file").setInputFiles({ ...archive, buffer: Buffer.from(archive.buffer) });
  await expect(rides.entries).toHaveCount(500, { timeout: 120_000 });
  const [listed, fresh, plain] = [[], [], []] as [number[], number[], number[]];
  for (let run = 0; run < RUNS; run += 1) {
    await ana.page.goto("/settings");
    await expect(ana.page.getByRole("heading", { name: "Settings" })).toBeVisible();
    listed.push(await measure(ana.page, 'a[href="/rides"]', `document.querySelectorAll("[data-ride]").length === 500`));
    plain.push(await ana.page.evaluate(listByHand));
    await ana.page.goto("/rides", { waitUntil: "commit" });
    await expect(rides.entries).toHaveCount(500);
    fresh.push(await ana.page.evaluate(() => performance.now()));
  }
  saveFigures({ "List of 500 rides, ms": listed, "Plain JavaScript, ms": plain, "List of 500 rides from an empty tab, ms": fresh });
});

/** Reads the same entries and draws them as plain items. Runs in the page. */
async function listByHand(): Promise<number> {
  const began = performance.now();
  const result = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await result(indexedDB.open("gruppetto"));
  const store = database.transaction("pieces").objectStore("pieces");
  const range = IDBKeyRange.bound("index/", "index0");
  const [keys, values] = await Promise.all([result(store.getAllKeys(range)), result(store.getAll(range))]);
  const list = document.createElement("ul");
  keys.forEach((key, index) => {
    const item = document.createElement("li");
    item.textContent = `${String(key)}: ${values[index].length}`;
    list.append(item);
  });
  document.body.append(list);
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const took = performance.now() - began;
  list.remove();
  database.close();
  return took;
}
