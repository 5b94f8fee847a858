import { expect, test } from "../fixtures/test.ts";
import { longRide, quarterMinute } from "../fixtures/workouts.ts";
import { Rider, rideTogether } from "../pages/rider.ts";

test("a ride that is over is still there after a reload, file and all", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  await rideTogether(quarterMinute, ana);
  await expect(ana.ride.summary).toBeVisible({ timeout: 30_000 });
  const duration = await ana.ride.summary.locator('[data-metric="duration"]').textContent();

  await ana.page.reload();
  await expect(ana.ride.download).toBeEnabled();
  await expect(ana.ride.summary.locator('[data-metric="duration"]')).toHaveText(duration ?? "");
});

test("who has left and loads the page again is asked who they are", async ({ enter }) => {
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await rideTogether(longRide, ana, ben);
  await expect(ben.ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
  await ben.ride.leave.click();
  await expect(ben.ride.summary).toBeVisible();
  // Long enough for whatever is kept from time to time.
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(7);

  await ben.page.reload();
  await expect(ben.ride.join).toBeEnabled();
  await expect(ana.ride.riders.getByRole("article")).toHaveCount(1);
});

test("leaving a ride alone leaves it", async ({ enter }) => {
  const ana = await enter("Ana", 240);
  await ana.page.goto("/solo");
  await ana.ride.share(longRide);
  await ana.ride.start.click();
  await ana.ride.ridesSoon();
  await expect(ana.ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
  await ana.ride.leave.click();
  await expect(ana.ride.download).toBeEnabled();
  const duration = ana.ride.summary.locator('[data-metric="duration"]');
  await expect(duration).toHaveText(/0:0[1-9]/);
});

test("a copy of a tab that rides asks before it takes the ride over", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  await ana.startsRide();
  // A tab opened by another one starts with a copy of its storage.
  const opened = ana.context.waitForEvent("page");
  await ana.page.evaluate(() => void window.open(location.href));
  const copy = new Rider(await opened, "Ana", 200);
  await expect(copy.page.getByRole("button", { name: "Go on as Ana" })).toBeEnabled();
  await ana.expectLobby();
});

test("a browser keeps the recordings of its last twenty rides, not of all", async ({ enter }) => {
  const ana = await enter("Ana", 200);
  await rideTogether(quarterMinute, ana);
  await expect(ana.ride.summary).toBeVisible({ timeout: 30_000 });
  const code = codeOf(ana);
  const rides = () => ana.page.evaluate(keptRides);
  await expect.poll(rides).toEqual([code]);

  // Away from the ride, whose page remembers it anew from time to time.
  await ana.home.open();
  await ana.page.evaluate((code) => {
    const newer = Array.from({ length: 19 }, (_, number) => `brave-otter-${1000 + number}`);
    localStorage.setItem("gruppetto.rides", JSON.stringify([...newer, code]));
  }, code);
  await rideTogether(longRide, ana);
  await expect.poll(rides).toEqual([codeOf(ana)]);
});

function codeOf(rider: Rider): string {
  return new URL(rider.page.url()).pathname.split("/").at(-1)!;
}

/** The codes of the rides that IndexedDB has recordings of. Runs in the page. */
async function keptRides(): Promise<string[]> {
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await done(indexedDB.open("gruppetto"));
  const keys = await done(database.transaction("pieces").objectStore("pieces").getAllKeys());
  database.close();
  return [...new Set(keys.map((key) => String(key).split("/")[0]!))];
}
