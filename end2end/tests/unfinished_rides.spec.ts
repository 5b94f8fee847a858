import type { Page } from "@playwright/test";
import { readFit } from "../fixtures/fit.ts";
import { addStorageSwitch, removeDatabase } from "../fixtures/storage_faults.ts";
import { expect, test } from "../fixtures/test.ts";
import { longRide, quarterMinute } from "../fixtures/workouts.ts";
import { RidesPage } from "../pages/rides_page.ts";
import { Rider, rideTogether } from "../pages/rider.ts";

/** Opens a solo ride, and rides for some seconds. */
async function rideSolo(rider: Rider, seconds: number, workout = longRide): Promise<void> {
  await rider.page.goto("/solo");
  await rider.ride.share(workout);
  await rider.ride.startCountdown();
  await rider.ride.expectRiding();
  await expect.poll(() => rider.ride.elapsed(), { timeout: 20_000 }).toBeGreaterThanOrEqual(seconds);
}

/** A page that the browser kills, as it does when memory runs out. */
async function kill(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash");
  await page.goto("chrome://crash").catch(() => {});
  await crashed;
}

const resume = (page: Page) => page.getByRole("button", { name: "Resume" }).or(page.getByRole("link", { name: "Resume" }));
const finish = (page: Page) => page.getByRole("button", { name: "Finish" }).or(page.getByRole("link", { name: "Finish" }));

test("a solo ride goes on after a reload where it was, and loses no more than five seconds", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideSolo(ana, 8);
  const ridden = await ana.ride.elapsed();
  await ana.page.reload();
  await expect(ana.page.getByText("You have a ride that is not finished")).toBeVisible();
  await expect(finish(ana.page)).toBeVisible();
  await resume(ana.page).click();
  await ana.ride.expectRiding();
  const resumed = await ana.ride.elapsed();
  expect(Math.abs(resumed - ridden), "seconds between both").toBeLessThanOrEqual(5);
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(resumed + 3);
  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End" }).click();
  await expect(ana.ride.summary).toBeVisible();
  const fit = await readFit(await ana.ride.downloadFit());
  expect(fit.records.length).toBeGreaterThanOrEqual(ridden - 3);
});

test("a solo ride whose page was killed can be finished from the home page", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideSolo(ana, 8);
  const ridden = await ana.ride.elapsed();
  await kill(ana.page);
  const page = await ana.context.newPage();
  await page.goto("/");
  await expect(resume(page)).toBeVisible();
  await finish(page).click();
  const rides = new RidesPage(page);
  await expect(page.getByRole("heading", { name: "Long Ride" })).toBeVisible();
  const seconds = Number((await rides.figure("duration").innerText()).split(":")[1]);
  expect(seconds).toBeGreaterThanOrEqual(ridden - 5);
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Start a group ride" })).toBeEnabled();
  await expect(finish(page)).toBeHidden();
  await rides.open();
  await expect(rides.entries).toHaveCount(1);
  await expect(rides.unfinished).toHaveCount(0);
});

test("a solo ride whose tab was closed can be resumed from the list of rides", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideSolo(ana, 6);
  const ridden = await ana.ride.elapsed();
  const page = await ana.context.newPage();
  const rides = new RidesPage(page);
  await rides.open();
  // It is under way in another tab.
  await expect(page.getByText("No rides yet")).toBeVisible();
  await ana.page.close();
  await page.reload();
  await expect(rides.unfinished).toHaveCount(1);
  await resume(page).click();
  const again = new Rider(page, "Ana", 200);
  await expect(page.getByText("You have a ride that is not finished")).toBeVisible();
  await resume(page).click();
  await again.ride.expectRiding();
  await expect.poll(() => again.ride.elapsed()).toBeGreaterThanOrEqual(ridden);
});

test("a group ride whose page was killed can be finished from the list of rides, with its workout", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideTogether(longRide, ana);
  await expect.poll(() => ana.ride.elapsed()).toBeGreaterThanOrEqual(7);
  await kill(ana.page);
  const page = await ana.context.newPage();
  const rides = new RidesPage(page);
  await rides.open();
  await expect(rides.unfinished).toContainText("Long Ride");
  await expect(resume(page)).toBeVisible();
  await finish(page).click();
  await expect(rides.entries).toHaveCount(1);
  await expect(rides.unfinished).toHaveCount(0);
  await rides.entries.getByRole("link").click();
  await expect(rides.interval(0, "target")).toHaveText("120 W");
});

for (const fault of ["throws", "aborts"] as const) {
  test(`a solo ride survives a database that ${fault} until the ride is over`, async ({ newRider }) => {
    const ana = await newRider("Ana", 200, { before: addStorageSwitch });
    const warning = ana.ride.statusRegion.locator('[data-problem="recording"]');
    await rideSolo(ana, 3, quarterMinute);
    await ana.page.evaluate((fault) => void (window.storageFaults.database = fault), fault);
    await expect(warning).toBeVisible();
    await expect(ana.ride.summary).toBeVisible({ timeout: 30_000 });
    const fit = await readFit(await ana.ride.downloadFit());
    expect(fit.records).toHaveLength(15);
    await ana.page.evaluate(() => void (window.storageFaults.database = "works"));
    await ana.page.getByRole("link", { name: "See the analysis" }).click({ timeout: 40_000 });
    await expect(new RidesPage(ana.page).figure("duration")).toHaveText("0:15");
  });
}

test("a solo rider whose browser has no database is told so, and saves the file at the end", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: removeDatabase });
  const warning = ana.ride.statusRegion.locator('[data-problem="recording"]');
  await ana.page.goto("/solo");
  await expect(warning).toBeVisible();
  await ana.ride.share(quarterMinute);
  await ana.ride.startCountdown();
  await expect(ana.ride.summary).toBeVisible({ timeout: 40_000 });
  expect((await readFit(await ana.ride.downloadFit())).records).toHaveLength(15);
  await ana.page.goto("/rides");
  await expect(ana.page.getByRole("alert")).toContainText("does not read or write its storage");
});

test("a ride that is offered in two tabs goes on in one only", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await rideSolo(ana, 5);
  await ana.page.reload();
  const second = await ana.context.newPage();
  await second.goto("/solo");
  const offer = (page: Page) => page.getByText("You have a ride that is not finished");
  await expect(offer(ana.page)).toBeVisible();
  await expect(offer(second)).toBeVisible();
  await resume(ana.page).click();
  await ana.ride.expectRiding();
  await resume(second).click();
  await expect(second.getByText("This ride is under way in another tab.")).toBeVisible();
  await expect(offer(second)).toBeHidden();
});

test("without Web Locks a ride under way in another tab is offered nowhere, and cannot be finished there", async ({ newRider }) => {
  const ana = await newRider("Ana", 200, { before: () => Object.defineProperty(navigator, "locks", { value: undefined }) });
  await rideSolo(ana, 5);
  const second = await ana.context.newPage();
  const rides = new RidesPage(second);
  await rides.open();
  await expect(second.getByText("No rides yet")).toBeVisible();
  await expect(rides.unfinished).toHaveCount(0);
  await second.goto("/solo");
  await expect(second.getByRole("button", { name: "Choose workout" })).toBeVisible();
  await ana.page.close();
  await rides.open();
  await expect(rides.unfinished).toHaveCount(1);
});
