import { Buffer } from "node:buffer";
import { Decoder, Stream } from "@garmin/fitsdk";
import type { Page } from "@playwright/test";
import { expectAccessible } from "../fixtures/accessibility.ts";
import { faces } from "../fixtures/faces.ts";
import { IntervalsIcu } from "../fixtures/intervals_icu.ts";
import { sidewaysProblems } from "../fixtures/layout.ts";
import { Server } from "../fixtures/server.ts";
import { expect, test as base } from "../fixtures/test.ts";
import { fourSteps, longRide } from "../fixtures/workouts.ts";
import type { Rider } from "../pages/rider.ts";
import { SettingsPage } from "../pages/settings_page.ts";
import { WorkoutsPage } from "../pages/workouts_page.ts";

/** Servers that offer the service. The server of all tests does not: that is the default. */
type Sites = Record<"direct" | "passThrough", Server>;

const test = base.extend<{ service: IntervalsIcu }, { standIn: IntervalsIcu; sites: Sites }>({
  standIn: [
    async ({}, use) => {
      const standIn = await IntervalsIcu.start();
      await use(standIn);
      await standIn.die();
    },
    { scope: "worker" },
  ],
  sites: [
    async ({ standIn }, use) => {
      const start = (access: string) =>
        Server.start({ GRUPPETTO_INTERVALS_ICU: access, GRUPPETTO_INTERVALS_ICU_URL: standIn.origin, GRUPPETTO_LOG: "trace" });
      const sites = { direct: await start("direct"), passThrough: await start("pass-through") };
      await use(sites);
      await Promise.all([sites.direct.stop(), sites.passThrough.stop()]);
    },
    { scope: "worker" },
  ],
  service: async ({ standIn }, use) => {
    await standIn.reset();
    await use(standIn);
  },
});

/** What browsers report about a call that the service does not consent to, or that fails. */
const refused = /blocked by CORS policy|Failed to load resource/;

/** Today's date on the clock of this computer. */
function today(offsetDays = 0): string {
  const date = new Date();
  date.setDate(date.getDate() + offsetDays);
  const [year, month, day] = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Saves the key, and waits until the service has accepted it. */
async function setUp({ page }: Rider, service: IntervalsIcu): Promise<void> {
  const settings = new SettingsPage(page);
  await settings.saveKey(service.key);
  await expect(settings.intervalsIcu).toContainText("The key works and is saved.");
}

/** Rides for some seconds alone, and opens the page of the ride. */
async function rideBriefly({ page, ride }: Rider): Promise<void> {
  await page.goto("/solo");
  await ride.share(longRide);
  await ride.start.click();
  await ride.expectRiding();
  await expect(ride.metric("elapsed")).toHaveText(/0:0[3-9]/);
  await ride.leave.click();
  await expect(ride.download).toBeEnabled();
  await page.goto("/rides");
  await page.getByRole("list", { name: "Rides, newest first" }).getByRole("link").first().click();
  await expect(page.getByRole("heading", { name: "Long Ride" })).toBeVisible();
}

const plannedToday = (page: Page) => page.getByRole("region", { name: "Planned today" });
const upload = (page: Page) => page.getByRole("button", { name: "Upload to intervals.icu", exact: true });
const tryAgain = (page: Page) => page.getByRole("button", { name: "Try again", exact: true });
const uploadAgain = (page: Page) => page.getByRole("button", { name: "Try again Upload to intervals.icu" });
const opened = (page: Page) => page.getByRole("link", { name: "Open at intervals.icu" });

/** Expects a FIT file that the official SDK reads. */
function expectFit(file: Buffer): void {
  const decoder = new Decoder(Stream.fromByteArray([...file]));
  expect(decoder.isFIT() && decoder.checkIntegrity(), "is a whole FIT file").toBe(true);
}

test("by default the settings say that the server does not offer it, and no request leaves", async ({ newRider, server, service }) => {
  const ana = await newRider("Ana", 200);
  const { page } = ana;
  const foreign: string[] = [];
  ana.context.on("request", (request) => {
    if (/^http/.test(request.url()) && !request.url().startsWith(server.origin)) foreign.push(request.url());
  });
  const settings = new SettingsPage(page);
  await settings.open();
  await expect(settings.intervalsIcu).toContainText("This server does not offer intervals.icu.");
  await expect(settings.key).toHaveCount(0);

  // A key from a time when the server offered it.
  await page.evaluate((key) => localStorage.setItem("gruppetto.intervals-icu", key), service.key);
  await new WorkoutsPage(page).open();
  await page.waitForLoadState("networkidle");
  await expect(plannedToday(page)).toHaveCount(0);
  await rideBriefly(ana);
  await expect(page.getByRole("link", { name: "Set up intervals.icu" })).toBeVisible();
  await expect(upload(page)).toHaveCount(0);
  await settings.open();
  await settings.remove.click();
  expect(await page.evaluate(() => localStorage.getItem("gruppetto.intervals-icu"))).toBeNull();
  expect(foreign).toEqual([]);
  expect(service.received).toEqual([]);
});

test("directly from the browser, a planned workout comes in and a ride goes out, once", async ({ newRider, sites, service }) => {
  service.plan(today(), "Four Steps", fourSteps);
  service.plan(today(), "Words", { description: "Ride as you feel." });
  service.plan(today(1), "Tomorrow", fourSteps);
  service.plan(today(), "Run", { type: "Run" });
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin });
  const { page } = ana;
  const settings = new SettingsPage(page);
  await settings.saveKey(service.key);
  await expect(settings.intervalsIcu).toContainText("The key works and is saved. Workouts planned for today: 2.");
  await expect(settings.intervalsIcu).toContainText("Calls go directly from this browser to intervals.icu.");
  await expect(settings.key).toHaveValue("");
  expect(await page.content()).not.toContain(service.key);
  expect(page.url()).not.toContain(service.key);

  const workouts = new WorkoutsPage(page);
  await workouts.open();
  const planned = plannedToday(page).getByRole("listitem").filter({ has: page.getByRole("heading") });
  await expect(planned.getByRole("heading")).toHaveText(["Four Steps", "Words"]);
  await expect(planned.first()).toContainText("4:00");
  await expect(planned.last()).toContainText("This workout has no steps that can be ridden");
  await page.getByRole("button", { name: "Keep Four Steps" }).click();
  await expect(planned.first()).toContainText("It is in your workouts.");
  await expect.poll(() => workouts.own()).toEqual(["Four Steps"]);
  await page.getByRole("button", { name: "Ride next Four Steps" }).click();
  await expect(page.getByText("The workout of your next ride:")).toContainText("Four Steps");

  await rideBriefly(ana);
  await upload(page).click();
  await expect(opened(page)).toHaveAttribute("href", "https://intervals.icu/activities/i9001");
  await page.reload();
  await expect(opened(page)).toHaveAttribute("href", "https://intervals.icu/activities/i9001");
  await expect(upload(page)).toHaveCount(0);

  // Another browser with the same ride knows nothing of the upload; the service does.
  await page.evaluate(() => localStorage.removeItem("gruppetto.intervals-icu-uploads"));
  await page.reload();
  await upload(page).click();
  await expect(opened(page)).toHaveAttribute("href", "https://intervals.icu/activities/i9001");

  const [first, second] = service.uploads;
  expect(service.uploads).toHaveLength(2);
  expect(first!.query.get("external_id")).toMatch(/^gruppetto-solo\.\w+/);
  expect(second!.query.get("external_id")).toBe(first!.query.get("external_id"));
  expect(first!.query.get("name")).toBe("Long Ride");
  expect([...first!.parts.keys()]).toEqual(["file"]);
  expect(first!.parts.get("file")!.fileName).toMatch(/^gruppetto-.+\.fit$/);
  expectFit(first!.parts.get("file")!.content);
  for (const { headers } of service.received) {
    expect(headers.origin, "sent by the browser").toBe(sites.direct.origin);
    expect([headers.cookie, headers.referer]).toEqual([undefined, undefined]);
  }
});

test("without consent of the service the server passes calls on, and logs nothing of them", async ({ newRider, sites, service, browserErrors }) => {
  browserErrors.allow(refused);
  service.cors = false;
  service.plan(today(), "Four Steps", fourSteps);
  const ana = await newRider("Ana", 200, { baseURL: sites.passThrough.origin });
  const { page } = ana;
  const settings = new SettingsPage(page);
  await settings.open();
  await expect(settings.intervalsIcu).toContainText("The first use decides which way calls go");
  await setUp(ana, service);
  await expect(settings.intervalsIcu).toContainText("Calls go through this server");
  expect(service.preflights, "the direct way was tried first").not.toEqual([]);

  await new WorkoutsPage(page).open();
  await expect(plannedToday(page).getByRole("heading", { name: "Four Steps" })).toBeVisible();
  await rideBriefly(ana);
  await upload(page).click();
  await expect(opened(page)).toHaveAttribute("href", "https://intervals.icu/activities/i9001");

  expectFit(service.uploads[0]!.parts.get("file")!.content);
  for (const { headers } of service.received) {
    expect([headers.origin, headers.cookie, headers.referer], "nothing about the browser").toEqual([undefined, undefined, undefined]);
  }
  const log = sites.passThrough.takeLog();
  expect(log).not.toContain(service.key);
  expect(log).not.toContain(Buffer.from(`API_KEY:${service.key}`).toString("base64"));
  expect(log).not.toContain("external_id");
});

test("without consent and without a pass-through, the rider is told so, and the page works", async ({ newRider, sites, service, browserErrors }) => {
  browserErrors.allow(refused);
  service.cors = false;
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin });
  const { page } = ana;
  const settings = new SettingsPage(page);
  await settings.saveKey(service.key);
  const reason = "intervals.icu does not let browsers call it from this site, and this server does not pass calls on.";
  await expect(settings.intervalsIcu).toContainText("The key is saved, but could not be checked.");
  await expect(settings.intervalsIcu).toContainText(reason);

  const workouts = new WorkoutsPage(page);
  await workouts.open();
  await expect(plannedToday(page).getByRole("alert")).toContainText(reason);
  await workouts.import(fourSteps);
  await expect.poll(() => workouts.own()).toEqual(["Four Steps"]);
  expect(service.received, "no call with the key").toEqual([]);
});

test("a wrong key is not saved, and a text that is no key is not sent", async ({ newRider, sites, service, browserErrors }) => {
  browserErrors.allow(/status of 403/);
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin });
  const settings = new SettingsPage(ana.page);
  await settings.saveKey("two words");
  await expect(settings.intervalsIcu).toContainText("This is not an API key.");
  expect(service.received).toEqual([]);
  await settings.key.fill("wrong-key");
  await settings.save.click();
  await expect(settings.intervalsIcu).toContainText("intervals.icu does not accept the API key.");
  await expect(settings.key).toHaveAttribute("aria-invalid", "true");
  await settings.open();
  await expect(settings.key).toBeVisible();
  await expect(settings.intervalsIcu).not.toContainText("A key is saved in this browser.");
});

test("without a network the upload fails with its reason, and works when it is tried again", async ({ newRider, sites, service, browserErrors }) => {
  browserErrors.allow(/Failed to load resource|ERR_INTERNET_DISCONNECTED/);
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin });
  const { page } = ana;
  await setUp(ana, service);
  await rideBriefly(ana);
  // The chart is drawn by a script that is fetched.
  await page.waitForLoadState("networkidle");
  const alert = page.locator(".upload").getByRole("alert");
  const again = uploadAgain(page);
  await ana.context.setOffline(true);
  await upload(page).click();
  await expect(alert).toContainText("There is no network connection.");
  await ana.context.setOffline(false);

  for (const [failure, message] of [
    [429, "Wait 30 seconds, then try again."],
    [500, "intervals.icu has a problem (error 500)."],
    [403, "intervals.icu does not accept the API key."],
  ] as const) {
    service.failure = failure;
    await again.click();
    await expect(alert).toContainText(message);
  }
  service.failure = undefined;
  await again.click();
  await expect(opened(page)).toHaveAttribute("href", "https://intervals.icu/activities/i9001");
});

test("a service that is dead or slow is named, and asked again with a button", async ({ newRider, sites, service, browserErrors }) => {
  browserErrors.allow(/Failed to load resource/);
  service.plan(today(), "Four Steps", fourSteps);
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin });
  const { page } = ana;
  await setUp(ana, service);
  await service.die();
  await page.clock.install();
  await new WorkoutsPage(page).open();
  await expect(plannedToday(page).getByRole("alert")).toContainText("intervals.icu cannot be reached.");
  await service.revive();
  service.delay = 20_000;
  await tryAgain(page).click();
  await expect(plannedToday(page)).toContainText("Asking intervals.icu…");
  await page.clock.fastForward(80_000);
  await expect(plannedToday(page).getByRole("alert")).toContainText("intervals.icu did not answer in time.");
  service.delay = 0;
  await tryAgain(page).click();
  await expect(plannedToday(page).getByRole("heading", { name: "Four Steps" })).toBeVisible();
});

for (const when of ["before", "within"] as const) {
  test(`a connection that breaks ${when} the answer sends neither key nor ride through the server`, async ({ newRider, sites, service, browserErrors }) => {
    browserErrors.allow(/Failed to load resource/);
    const ana = await newRider("Ana", 200, { baseURL: sites.passThrough.origin });
    const { page } = ana;
    await setUp(ana, service);
    await rideBriefly(ana);
    // The first upload decides on which way uploads go; the second ride meets the broken connection.
    await upload(page).click();
    await expect(opened(page)).toBeVisible();
    await page.getByRole("link", { name: "Your rides" }).click();
    await page.getByRole("link", { name: "Go home" }).click();
    await page.getByRole("button", { name: "Try a simulated ride" }).click();
    await ana.ride.share(longRide);
    await ana.ride.start.click();
    await ana.ride.expectRiding();
    await expect(ana.ride.metric("elapsed")).toHaveText(/0:0[2-9]/);
    await ana.ride.leave.click();
    await page.getByRole("link", { name: "See the analysis" }).click();
    service.breaks = { method: "POST", when };
    await upload(page).click();
    await expect(page.getByText("intervals.icu cannot be reached.")).toBeVisible();
    service.breaks = undefined;
    await uploadAgain(page).click();
    await expect(opened(page)).toBeVisible();
    // The server sends no Origin, browsers do.
    expect(service.received.filter(({ headers }) => headers.origin === undefined)).toEqual([]);
    await page.getByRole("link", { name: "Your rides" }).click();
    await page.getByRole("link", { name: "Settings" }).click();
    await expect(page.locator("[data-way]")).toHaveAttribute("data-way", "direct");
  });
}

test("through the server a wrong key and a dead service are named, too, and a retry works", async ({ newRider, sites, service, browserErrors }) => {
  browserErrors.allow(refused);
  service.cors = false;
  service.plan(today(), "Four Steps", fourSteps);
  const ana = await newRider("Ana", 200, { baseURL: sites.passThrough.origin });
  const { page } = ana;
  const settings = new SettingsPage(page);
  await settings.saveKey("1l0nlqjq3j1obdhg08rz5wrong");
  await expect(settings.intervalsIcu).toContainText("does not accept the API key");
  await setUp(ana, service);
  await expect(page.locator("[data-way]")).toHaveAttribute("data-way", "pass-through");
  await service.die();
  await new WorkoutsPage(page).open();
  await expect(plannedToday(page).getByRole("alert")).toContainText("intervals.icu cannot be reached.");
  await service.revive();
  await tryAgain(page).click();
  await expect(plannedToday(page).getByRole("heading", { name: "Four Steps" })).toBeVisible();
});

test("this server's own failure is not blamed on the service", async ({ newRider, sites, service, browserErrors }) => {
  browserErrors.allow(/Failed to load resource/);
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin });
  const { page } = ana;
  await page.route("**/api/intervals-icu", (route) => route.fulfill({ status: 503, json: { error: { code: "draining", message: "x" } } }));
  const settings = new SettingsPage(page);
  await settings.open();
  await expect(settings.intervalsIcu).toContainText("This server cannot answer at the moment.");
  await page.unroute("**/api/intervals-icu");
  await tryAgain(page).click();
  await expect(settings.key).toBeVisible();
  expect(service.received).toEqual([]);
});

test("the threshold heart rate is kept, and the key goes with everything else", async ({ newRider, sites, service }) => {
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin });
  const { page } = ana;
  const settings = new SettingsPage(page);
  await settings.open();
  await expect(settings.heartRate).toHaveValue("165");
  await settings.heartRate.fill("300");
  await settings.heartRate.press("Tab");
  await expect(page.getByText("Enter a heart rate of 80 to 220 bpm.")).toBeVisible();
  await settings.heartRate.fill("172");
  await settings.heartRate.press("Tab");
  await expect(page.getByText("Saved in this browser.")).toBeVisible();
  await setUp(ana, service);
  await expect(settings.heartRate).toHaveValue("172");

  await page.goto("/rides");
  await page.getByRole("button", { name: "Delete everything" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete everything" }).click();
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage)).catch(() => ["navigating"])).toEqual([]);
});

test("the settings and the planned workouts are accessible, and fit on a narrow phone", async ({ newRider, sites, service }) => {
  service.plan(today(), "Four Steps", fourSteps);
  service.plan(today(), "Words", { description: "Ride as you feel." });
  const ana = await newRider("Ana", 200, { baseURL: sites.direct.origin, viewport: { width: 320, height: 640 } });
  const { page } = ana;
  const settings = new SettingsPage(page);
  const expectUsable = async (screen: string, part: string) => {
    await expectAccessible(page, screen);
    expect(await sidewaysProblems(page, faces.map((face) => ({ face, textPercent: 100 }))), screen).toEqual([]);
    const low = await page.locator(part).locator("button, a.button, input").evaluateAll((controls) =>
      controls.filter((control) => control.checkVisibility() && control.getBoundingClientRect().height < 48).map((control) => control.outerHTML),
    );
    expect(low, `${screen}: controls below 48 pixels`).toEqual([]);
  };
  await settings.saveKey("no key");
  await expect(settings.intervalsIcu).toContainText("This is not an API key.");
  await expectUsable("settings with an error", ".settings");
  await setUp(ana, service);
  await expectUsable("settings with a key", ".settings");
  await page.getByRole("button", { name: "Show key" }).click();
  await expect(settings.key).toHaveAttribute("type", "text");
  await new WorkoutsPage(page).open();
  await expect(plannedToday(page).getByRole("heading", { name: "Four Steps" })).toBeVisible();
  await expectUsable("planned workouts", ".planned");
});
