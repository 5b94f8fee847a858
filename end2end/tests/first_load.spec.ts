import type { Page, TestInfo } from "@playwright/test";
import type { BrowserErrors } from "../fixtures/browser_errors.ts";
import { expect, test } from "../fixtures/test.ts";
import { Transfers } from "../fixtures/transfers.ts";
import { quarterMinute } from "../fixtures/workouts.ts";

// Budgets in bytes. The build checks those of the single parts.
const homeBudget = 200_000;
const lobbyBudget = 480_000;

test("the home page transfers less than 200 KB", async ({ newRider }, info) => {
  const ana = await newRider("Ana", 200);
  const transfers = await Transfers.of(ana.page);
  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  await ana.page.waitForLoadState("networkidle");
  expectBytes(transfers, homeBudget, info);
  expect(transfers.requested.filter((path) => path.startsWith("/pkg/ride."))).toEqual([]);
});

test("the way from an invitation into the lobby transfers less than 480 KB", async ({ newRider }, info) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  const ben = await newRider("Ben", 250);
  const transfers = await Transfers.of(ben.page);
  await ben.openInvitation(ana.invitation);
  await expect(ben.ride.join).toBeEnabled();
  await ben.page.waitForLoadState("networkidle");
  expect(transfers.hasLaterPart, "the part that the lobby does not need").toBe(false);
  await ben.ride.join.click();
  await ben.expectLobby();
  expectBytes(transfers, lobbyBudget, info);
});

test("the way from the home page into the lobby transfers less than 480 KB", async ({ newRider }, info) => {
  const ana = await newRider("Ana", 200);
  const transfers = await Transfers.of(ana.page);
  await ana.startRide();
  expectBytes(transfers, lobbyBudget, info);
});

test("nothing is fetched from the countdown to the downloaded file", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  const transfers = await Transfers.of(ana.page);
  await ana.startRide();
  await ana.useSimulatedTrainer();
  await ana.ride.share(quarterMinute);
  await expect(ana.ride.profile).toBeVisible();
  await ana.page.waitForLoadState("networkidle");
  expect(transfers.hasLaterPart, "the other part is fetched in the lobby").toBe(true);
  const before = transfers.requested.length;

  await ana.ride.start.click();
  await ana.ride.expectRiding();
  await expect(ana.ride.summary).toBeVisible({ timeout: 30_000 });
  await ana.ride.downloadFit();
  // The browser itself asks for the icon once the page makes a sound.
  expect(transfers.requested.slice(before).filter((path) => path !== "/favicon.ico")).toEqual([]);
});

test("a name that is typed before any code has arrived is kept", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  const ben = await newRider("Ben", 250);
  const code = await hold(ben.page, "gruppetto.*.wasm");
  await ben.page.goto(ana.invitation, { waitUntil: "commit" });
  await ben.ride.riderForm.fill("Ben", 250);
  await expect(ben.ride.join).toBeDisabled();

  code.release();
  await expect(ben.ride.join).toBeEnabled();
  await expect(ben.ride.riderForm.name).toHaveValue("Ben");
  await expect(ben.ride.riderForm.ftp).toHaveValue("250");
  await ben.ride.join.click();
  await ben.expectLobby();
});

test("a rider can join before the ride has arrived", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  const ben = await newRider("Ben", 250);
  const ride = await hold(ben.page, "ride.*.wasm");
  await ben.page.goto(ana.invitation, { waitUntil: "commit" });
  await ben.ride.riderForm.fill("Ben", 250);
  await ben.ride.join.click();
  await expect(ben.page.getByText("Looking for the ride")).toBeVisible();

  ride.release();
  await ben.expectLobby();
  await ana.ride.card("Ben").expectLink("direct");
});

test("a rider is told that a download takes long, and can load the page again", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  const ben = await newRider("Ben", 250);
  let requests = 0;
  // The first one is never answered.
  await ben.page.route("**/pkg/ride.*.wasm", (route) => (requests++ === 0 ? undefined : route.continue()));
  await ben.page.goto(ana.invitation, { waitUntil: "commit" });
  await ben.ride.riderForm.fill("Ben", 250);
  await ben.ride.join.click();
  const again = ben.page.getByRole("button", { name: "Try again" });
  await expect(again).toBeHidden();
  await expect(again).toBeVisible({ timeout: 40_000 });
  await expect(ben.page.getByText("Loading takes longer than usual")).toBeVisible();

  await again.click();
  await ben.expectLobby();
});

test("the form stays as it is while the ride arrives", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  const ben = await newRider("Ben", 250);
  const ride = await hold(ben.page, "ride.*.wasm");
  await ben.page.goto(ana.invitation, { waitUntil: "commit" });
  await expect(ben.ride.join).toBeEnabled();
  await ben.ride.riderForm.name.pressSequentially("Be");
  const lookedUp = ben.page.waitForResponse(/\/api\/rides\//);
  ride.release();
  await (await lookedUp).finished();
  await ben.page.keyboard.type("n");
  await expect(ben.ride.riderForm.name).toBeFocused();
  await expect(ben.ride.riderForm.name).toHaveValue("Ben");
  await ben.ride.join.click();
  await ben.expectLobby();
});

test("a fetch of a part that fails once is repeated", async ({ newRider, browserErrors }) => {
  allowFailedFetches(browserErrors);
  const ana = await newRider("Ana", 200);
  let failures = 0;
  await ana.page.route("**/pkg/ride.*.wasm", (route) => (failures++ === 0 ? route.abort() : route.continue()));
  await ana.startRide();
  expect(failures).toBeGreaterThan(1);
});

test("a rider is told that the ride cannot be loaded, and joins when it can", async ({ newRider, browserErrors }) => {
  allowFailedFetches(browserErrors);
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  const ben = await newRider("Ben", 250);
  const failing = await fail(ben.page, "ride.*.wasm");
  await ben.openInvitation(ana.invitation);
  await expect(ben.page.getByRole("alert")).toHaveText(/could not be loaded, so the ride cannot be opened yet/);
  await expect(ben.ride.riderForm.name).toHaveValue("Ben");

  await failing.stop();
  await ben.page.getByRole("button", { name: "Try again" }).click();
  await expect(ben.page.getByRole("alert")).toBeHidden();
  await ben.ride.join.click();
  await ben.expectLobby();
});

test("a host is told that a screen cannot be loaded, and the lobby still works", async ({ newRider, browserErrors }) => {
  allowFailedFetches(browserErrors);
  const ana = await newRider("Ana", 200);
  const failing = await fail(ana.page, "later.*.wasm");
  await ana.startRide();
  await ana.ride.choose.click();
  const alert = ana.page.getByRole("alert");
  await expect(alert).toHaveText(/This part of the app could not be loaded/);
  await ana.useSimulatedTrainer();
  await ana.ride.ready.check();

  await failing.stop();
  await ana.page.getByRole("button", { name: "Try again" }).click();
  await expect(ana.ride.chooser).toBeVisible();
  await expect(alert).toBeHidden();
});

function expectBytes(transfers: Transfers, budget: number, info: TestInfo): void {
  const { bytes, table } = transfers;
  info.annotations.push({ type: "transferred", description: `${bytes} bytes` });
  expect(bytes, table).toBeLessThan(budget);
}

/** Holds the responses of files in /pkg/ back until they are released. */
async function hold(page: Page, files: string): Promise<{ release(): void }> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(`**/pkg/${files}`, async (route) => {
    await released;
    await route.continue();
  });
  return { release };
}

/** Lets all requests for files in /pkg/ fail until it is stopped. */
async function fail(page: Page, files: string): Promise<{ stop(): Promise<void> }> {
  const pattern = `**/pkg/${files}`;
  await page.route(pattern, (route) => route.abort());
  return { stop: () => page.unroute(pattern) };
}

/** The browser and the loader report the failures that a test causes. */
function allowFailedFetches(errors: BrowserErrors): void {
  errors.allow(/Failed to load resource: net::ERR_FAILED|TypeError: Failed to fetch|Failed to fetch/);
}
