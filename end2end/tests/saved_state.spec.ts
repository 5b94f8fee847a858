import { expect, test } from "../fixtures/test.ts";
import { longRide, quarterMinute } from "../fixtures/workouts.ts";
import { Rider, rideTogether } from "../pages/rider.ts";

test("the summary and the FIT file of a finished ride survive a reload", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideTogether(quarterMinute, ana);
  await expect(ana.ride.summary).toBeVisible({ timeout: 30_000 });
  const duration = await ana.ride.summary.locator('[data-metric="duration"]').textContent();

  await ana.page.reload();
  await expect(ana.ride.download).toBeEnabled();
  await expect(ana.ride.summary.locator('[data-metric="duration"]')).toHaveText(duration ?? "");
});

test("a rider can leave a solo ride and download its file", async ({ newRider }) => {
  const ana = await newRider("Ana", 240);
  await ana.page.goto("/solo");
  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await ana.ride.expectRiding();
  await expect(ana.ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
  await ana.ride.leave.click();
  await expect(ana.ride.download).toBeEnabled();
  const duration = ana.ride.summary.locator('[data-metric="duration"]');
  await expect(duration).toHaveText(/0:0[1-9]/);
});

test("a copy of a tab in a ride asks before it takes over the rider", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  // A tab opened by another one starts with a copy of its session storage.
  const opened = ana.context.waitForEvent("page");
  await ana.page.evaluate(() => void window.open(location.href));
  const copy = new Rider(await opened, "Ana", 200);
  await expect(copy.page.getByRole("button", { name: "Go on as Ana" })).toBeEnabled();
  await ana.expectLobby();
});

test("a browser keeps the recordings of more rides than the twenty into which it can return", { tag: "@variant" }, async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideTogether(quarterMinute, ana);
  await expect(ana.ride.summary).toBeVisible({ timeout: 30_000 });
  const code = codeOf(ana);
  const kept = () => ana.page.evaluate(keptRides);
  await expect.poll(kept).toEqual([code]);

  // Leave the page of the ride, which would save the ride again.
  await ana.home.open();
  await ana.page.evaluate((code) => {
    const newer = Array.from({ length: 19 }, (_, number) => `brave-otter-${1000 + number}`);
    localStorage.setItem("gruppetto.rides", JSON.stringify([...newer, code]));
  }, code);
  await rideTogether(quarterMinute, ana);
  await expect(ana.ride.summary).toBeVisible({ timeout: 30_000 });
  await expect.poll(async () => (await kept()).sort()).toEqual([code, codeOf(ana)].sort());
  expect(await ana.page.evaluate((code) => localStorage.getItem(`gruppetto.ride.${code}`), code)).toBeNull();
});

function codeOf(rider: Rider): string {
  return new URL(rider.page.url()).pathname.split("/").at(-1)!;
}

/** Codes of the finished rides in IndexedDB. Runs in the page. */
async function keptRides(): Promise<string[]> {
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await done(indexedDB.open("gruppetto"));
  const keys = await done(database.transaction("pieces").objectStore("pieces").getAllKeys());
  database.close();
  const names = keys.map((key) => String(key).split("/"));
  return names.filter(([place]) => place === "kept").map(([, code]) => code!);
}
