import { readFile } from "node:fs/promises";
import { expectAccessible } from "../fixtures/accessibility.ts";
import { faces } from "../fixtures/faces.ts";
import { sidewaysProblems } from "../fixtures/layout.ts";
import { expectReadersAgree } from "../fixtures/readers.ts";
import { fiveTimesFour, rideArchive, steady } from "../fixtures/rides.ts";
import { expect, test } from "../fixtures/test.ts";
import { file, halfMinute } from "../fixtures/workouts.ts";
import { RidesPage } from "../pages/rides_page.ts";
import type { Rider } from "../pages/rider.ts";

const threeRides = [
  fiveTimesFour("solo/0001", new Date("2026-11-27T18:00:00Z")),
  steady("brave-otter-4821/ab12", new Date("2026-11-25T06:30:00Z"), 3_600),
  steady("solo/0003", new Date("2026-11-20T06:30:00Z"), 600),
];

async function withThreeRides(rider: Rider): Promise<RidesPage> {
  const rides = new RidesPage(rider.page);
  await rides.open();
  await rides.import(rideArchive(threeRides));
  await expect(rides.entries).toHaveCount(3);
  return rides;
}

test("a finished ride is listed, and its page has the figures of the summary and files that all readers agree on", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.home.open();
  await ana.home.rider.fill("Ana", 200);
  await ana.home.solo.click();
  await ana.ride.share(halfMinute);
  await ana.ride.start.click();
  await expect(ana.ride.summary).toBeVisible({ timeout: 60_000 });
  const power = await ana.ride.figure("Average power").innerText();
  await ana.page.getByRole("link", { name: "See the analysis" }).click();

  const rides = new RidesPage(ana.page);
  await expect(ana.page.getByRole("heading", { name: "Half a Minute" })).toBeVisible();
  await expect(rides.figure("average-power")).toHaveText(power);
  await expect(rides.figure("duration")).toHaveText("0:30");
  await expect(rides.interval(0, "target")).toHaveText("120 W");
  await expect(rides.interval(0, "duration")).toHaveText("0:14");
  await expect(ana.page.locator("[data-interval]")).toHaveCount(3);

  const fit = await rides.download("Download FIT");
  const tcx = await rides.download("Download TCX");
  expect(tcx.suggestedFilename()).toBe(fit.suggestedFilename().replace(/fit$/, "tcx"));
  const totals = await expectReadersAgree(await readFile(await fit.path()), await readFile(await tcx.path()));
  expect(totals.records).toBe(30);

  await ana.page.getByRole("link", { name: "Your rides" }).click();
  await expect(rides.entries).toHaveCount(1);
  await expect(rides.entries).toContainText("Half a Minute");
  await expect(rides.entries).toContainText("0:30");
});

test("the analysis has the figures of the ride", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = await withThreeRides(ana);
  await expect(rides.entries.first()).toContainText("5 × 4 min");
  await rides.entries.last().getByRole("link").click();
  await expect(ana.page.getByRole("heading", { name: "Endurance 600 s" })).toBeVisible();
  // A share of 0.65 of 200 W, ridden for ten minutes: 130 W, IF 0.65, 600 s / 3600 s × 0.65² × 100 = 7, 78 kJ.
  await expect(rides.figure("duration")).toHaveText("10:00");
  await expect(rides.figure("average-power")).toHaveText("130");
  await expect(rides.figure("normalised-power")).toHaveText("130");
  await expect(rides.figure("intensity-factor")).toHaveText("0.65");
  await expect(rides.figure("stress-score")).toHaveText("7");
  await expect(rides.figure("work")).toHaveText("78");
  // Nothing was ridden above FTP.
  await expect(rides.figure("w-balance")).toHaveText("20.0");
  const zones = ana.page.locator('[data-zones="power"]');
  // Zone 2 goes to 150 W.
  await expect(zones.locator('[data-zone="2"] [data-metric="time"]')).toHaveText("10:00");
  await expect(ana.page.locator('[data-zones="heart-rate"]')).toBeVisible();
  await expect(ana.page.locator('[data-curve="mean-max"] [data-seconds="600"]')).toHaveText("130 W");
});

test("the traces can be zoomed by mouse, by buttons, and to an interval", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = await withThreeRides(ana);
  await rides.entries.first().getByRole("link").click();
  const canvas = rides.plot.locator("canvas");
  await expect(canvas).toBeVisible();
  const [from, to] = await rides.shown();
  expect([from, to]).toEqual([0, 2_999]);

  await rides.plot.scrollIntoViewIfNeeded();
  const box = (await rides.plot.locator(".u-over").boundingBox())!;
  await ana.page.mouse.move(box.x + box.width * 0.25, box.y + 50);
  await ana.page.mouse.down();
  await ana.page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 });
  await ana.page.mouse.up();
  await expect.poll(() => rides.shown().then(([from]) => from)).toBeGreaterThan(600);
  expect((await rides.shown())[1]).toBeLessThan(1_600);

  await rides.plot.getByRole("button", { name: "Show all" }).click();
  await expect.poll(() => rides.shown()).toEqual([0, 3_000]);
  await rides.plot.getByRole("button", { name: "Zoom in" }).click();
  await expect.poll(() => rides.shown()).toEqual([750, 2_250]);
  await rides.plot.getByRole("button", { name: "Later" }).click();
  await expect.poll(() => rides.shown()).toEqual([1_500, 3_000]);

  await ana.page.locator('[data-interval="1"]').getByRole("button").click();
  await expect.poll(() => rides.shown()).toEqual([600, 840]);
  const heartRate = rides.plot.getByRole("checkbox", { name: "Heart rate" });
  await heartRate.uncheck();
  await expect(rides.plot.locator(".u-legend .u-series").nth(3)).toHaveClass(/u-off/);
});

test("a ride is deleted after a question, and everything after another", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = await withThreeRides(ana);
  await rides.entries.first().getByRole("link").click();
  const del = ana.page.getByRole("button", { name: "Delete", exact: true });
  await del.click();
  await rides.confirm.getByRole("button", { name: "Keep" }).click();
  await expect(rides.confirm).toBeHidden();
  await del.click();
  await rides.confirm.getByRole("button", { name: "Delete" }).click();
  await expect(rides.entries).toHaveCount(2);
  await ana.page.reload();
  await expect(rides.entries).toHaveCount(2);

  await rides.deleteEverything.click();
  await rides.confirm.getByRole("button", { name: "Delete everything" }).click();
  await expect(ana.page.getByText("No rides yet")).toBeVisible();
  const left = await ana.page.evaluate(async () => {
    const keys = async (name: string, store: string) => {
      const request = indexedDB.open(name);
      await new Promise((resolve) => (request.onsuccess = resolve));
      const all = request.result.transaction(store).objectStore(store).getAllKeys();
      await new Promise((resolve) => (all.onsuccess = resolve));
      request.result.close();
      return all.result;
    };
    return [Object.keys(localStorage), Object.keys(sessionStorage), await keys("gruppetto", "pieces"), await keys("gruppetto-workouts", "workouts")];
  });
  expect(left).toEqual([[], [], [], []]);
});

test("all rides move to another browser as one file, with nothing lost", async ({ newRider }) => {
  const [ana, tablet] = [await newRider("Ana", 250), await newRider("Ana", 250)];
  const rides = await withThreeRides(ana);
  const listed = await rides.entries.allInnerTexts();
  await rides.entries.nth(1).getByRole("link").click();
  const fit = await readFile(await (await rides.download("Download FIT")).path());
  await rides.open();
  const archive = await rides.download("Export all");

  const other = new RidesPage(tablet.page);
  await other.open();
  const payload = file("rides.gruppetto", await readFile(await archive.path()), "application/octet-stream");
  await other.import(payload);
  await expect(tablet.page.getByText("3 rides added, 0 were here already.")).toBeVisible();
  expect(await other.entries.allInnerTexts()).toEqual(listed);
  await other.entries.nth(1).getByRole("link").click();
  const same = await readFile(await (await other.download("Download FIT")).path());
  expect(same.equals(fit), "the same FIT file").toBe(true);

  await other.open();
  await other.import(payload);
  await expect(tablet.page.getByText("0 rides added, 3 were here already.")).toBeVisible();
  await expect(other.entries).toHaveCount(3);
});

test("files that are no rides, damaged or cut off are named as such, and what is readable is imported", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = new RidesPage(ana.page);
  await rides.open();
  await rides.import(file("workout.zwo", "<workout_file/>"));
  await expect(ana.page.getByText("This is not a file with rides.")).toBeVisible();
  const { buffer } = rideArchive(threeRides);
  await rides.import(file("cut.gruppetto", buffer.subarray(0, buffer.length - 100)));
  await expect(ana.page.getByText("2 rides before that place were added.")).toBeVisible();
  await expect(rides.entries).toHaveCount(2);
  const damaged = rideArchive([{ ...threeRides[2]!, name: "../<b>" }, threeRides[2]!]);
  await rides.import(damaged);
  await expect(ana.page.getByText("1 rides in this file cannot be read.")).toBeVisible();
  await expect(rides.entries).toHaveCount(3);
});

test("a ride that is not here, or an address that is none, is explained, and changes nothing", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = await withThreeRides(ana);
  // The state that a crash leaves behind: a chunk of a ride that is not finished.
  await ana.page.evaluate(unfinish, "solo/0003");
  const before = await ana.page.evaluate(storedKeys);
  expect(before).toContain("solo/0003/00000000");
  const ids = ["solo.none", "%3Cb%3E", "index", "kept", "kept.solo", "state", "solo", "brave-otter-4821", "solo.0003.x"];
  for (const id of ids.flatMap((id) => [id, `${id}#finish`])) {
    await ana.page.goto("/");
    await ana.page.goto(`/rides/${id}`);
    await expect(ana.page.getByText("This ride is not in this browser.")).toBeVisible();
  }
  expect(await ana.page.evaluate(storedKeys)).toEqual(before);
  await rides.open();
  await expect(rides.entries).toHaveCount(2);
  await expect(rides.unfinished).toHaveCount(1);
});

test("an import leaves a ride that is not finished as it is", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = await withThreeRides(ana);
  await ana.page.evaluate(unfinish, "solo/0003");
  const before = await ana.page.evaluate(storedKeys);
  await rides.open();
  await rides.import(rideArchive([steady("solo/0003", new Date("2026-11-20T06:30:00Z"), 60)]));
  await expect(ana.page.getByText("0 rides added, 1 were here already.")).toBeVisible();
  expect(await ana.page.evaluate(storedKeys)).toEqual(before);
});

test("a ride that was not finished is exported, and once it is deleted the home page leads to it no more", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = await withThreeRides(ana);
  await ana.page.evaluate(unfinish, "solo/0003");
  await ana.page.evaluate(() => {
    localStorage.setItem("gruppetto.recording", "solo/0003");
    localStorage.setItem("gruppetto.running", "solo");
  });
  // The list waits for no server.
  await ana.page.route("**/api/rides/**", () => {});
  await rides.open();
  await expect(rides.unfinished).toHaveCount(1);
  const archive = await rides.download("Export all");
  expect((await readFile(await archive.path())).includes("solo/0003"), "the ride that is not finished").toBe(true);
  await ana.home.open();
  const finish = ana.page.getByRole("link", { name: "Finish" });
  await expect(finish).toBeVisible();
  await ana.page.goto("/rides/solo.0003");
  await ana.page.getByRole("button", { name: "Delete", exact: true }).click();
  await rides.confirm.getByRole("button", { name: "Delete" }).click();
  await expect(rides.entries).toHaveCount(2);
  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  await expect(finish).toBeHidden();
  await expect(ana.page.getByRole("link", { name: "Resume" })).toBeHidden();
});

test("everything is deleted only while no other tab rides, and no tab waits for another", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = await withThreeRides(ana);
  const other = await ana.context.newPage();
  await other.goto("/solo");
  await expect(other.getByRole("button", { name: "Choose workout" })).toBeVisible();
  await rides.deleteEverything.click();
  await rides.confirm.getByRole("button", { name: "Delete everything" }).click();
  await expect(ana.page.getByText("The browser could not delete it. Close other tabs of this site")).toBeVisible();
  await ana.page.reload();
  await expect(rides.entries).toHaveCount(3);
  await other.close();
  await rides.deleteEverything.click();
  await rides.confirm.getByRole("button", { name: "Delete everything" }).click();
  await expect(ana.page.getByText("No rides yet")).toBeVisible();
});

test("a damaged ride can be deleted, and one of a single second can be looked at", async ({ newRider }) => {
  const ana = await newRider("Ana", 250);
  const rides = new RidesPage(ana.page);
  await rides.open();
  await rides.import(rideArchive([steady("solo/0001", new Date("2026-11-20T06:30:00Z"), 1), steady("solo/0002", new Date("2026-11-21T06:30:00Z"), 60)]));
  await expect(rides.entries).toHaveCount(2);
  await rides.entries.last().getByRole("link").click();
  await expect(rides.plot.locator("canvas")).toBeVisible();
  for (const name of ["Later", "Earlier", "Zoom in", "Zoom out", "Show all"]) await rides.plot.getByRole("button", { name }).click();
  await expect(rides.figure("duration")).toHaveText("0:01");

  await ana.page.evaluate(putBytes, "kept/solo/0002");
  await ana.page.goto("/rides/solo.0002");
  await expect(ana.page.getByText("This ride is damaged and cannot be read.")).toBeVisible();
  await ana.page.getByRole("button", { name: "Delete", exact: true }).click();
  await rides.confirm.getByRole("button", { name: "Delete" }).click();
  await expect(rides.entries).toHaveCount(1);
});

/** Puts a kept ride back into the state before its end. Runs in the page. */
async function unfinish(name: string): Promise<void> {
  const request = indexedDB.open("gruppetto");
  await new Promise((resolve) => (request.onsuccess = resolve));
  const store = request.result.transaction("pieces", "readwrite").objectStore("pieces");
  const kept = store.get(`kept/${name}`);
  await new Promise((resolve) => (kept.onsuccess = resolve));
  const bytes = kept.result as Uint8Array;
  // The end, a number of five bytes, stands before the list of sensors, which is the last field.
  const sensors = bytes.length - (1 + 1 + "Simulated trainer".length);
  const open = new Uint8Array([...bytes.slice(0, sensors - 5), 0xf6, ...bytes.slice(sensors)]);
  store.put(open, `${name}/00000000`);
  store.delete(`kept/${name}`);
  const last = store.delete(`index/${name}`);
  await new Promise((resolve) => (last.onsuccess = resolve));
  request.result.close();
}

/** All keys of the database of rides. Runs in the page. */
async function storedKeys(): Promise<string[]> {
  const request = indexedDB.open("gruppetto");
  await new Promise((resolve) => (request.onsuccess = resolve));
  const all = request.result.transaction("pieces").objectStore("pieces").getAllKeys();
  await new Promise((resolve) => (all.onsuccess = resolve));
  request.result.close();
  return all.result.map(String);
}

/** Stores bytes that are no ride under a key. Runs in the page. */
async function putBytes(key: string): Promise<void> {
  const request = indexedDB.open("gruppetto");
  await new Promise((resolve) => (request.onsuccess = resolve));
  const put = request.result.transaction("pieces", "readwrite").objectStore("pieces").put(new Uint8Array([1, 2, 3]), key);
  await new Promise((resolve) => (put.onsuccess = resolve));
  request.result.close();
}

test("a ride is shared as a file by the system's share sheet, or as text where it takes no such files", async ({ newRider }) => {
  const ana = await newRider("Ana", 250, {
    before: () => {
      const shared: unknown[] = ((window as unknown as { shared: unknown[] }).shared = []);
      Object.assign(navigator, {
        canShare: (data: { files?: File[] }) => !data.files || location.hash !== "#none",
        share: async ({ files, text }: { files?: File[]; text?: string }) => void shared.push(files?.[0]?.name ?? text),
      });
    },
  });
  const rides = await withThreeRides(ana);
  await rides.entries.last().getByRole("link").click();
  const share = ana.page.getByRole("button", { name: "Share", exact: true });
  await share.click();
  await expect.poll(() => ana.page.evaluate("window.shared")).toEqual(["gruppetto-endurance-600-s-2026-11-20.fit"]);
  await ana.page.evaluate(() => void (location.hash = "none"));
  await share.click();
  await expect.poll(() => ana.page.evaluate("window.shared[1]")).toBe("Endurance 600 s: 10:00, 130 W");
});

test("the pages of rides have no accessibility problem, and fit on a small screen with large text", async ({ newRider }) => {
  const ana = await newRider("Ana", 250, { viewport: { width: 320, height: 568 } });
  const rides = await withThreeRides(ana);
  const check = async (screen: string) => {
    await expectAccessible(ana.page, screen);
    const variants = faces.flatMap((face) => [100, 200].map((textPercent) => ({ face, textPercent })));
    expect(await sidewaysProblems(ana.page, variants), screen).toEqual([]);
    await ana.page.evaluate(() => document.documentElement.removeAttribute("style"));
  };
  await check("list");
  await rides.entries.first().getByRole("link").click();
  await expect(rides.plot.locator("canvas")).toBeVisible();
  await check("ride");
});
