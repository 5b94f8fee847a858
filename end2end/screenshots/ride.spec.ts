import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test.ts";
import { zwo } from "../fixtures/workouts.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { each, eachPair } from "../pages/rider.ts";

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const sizes = [
  { name: "desk", width: 1440, height: 900 },
  { name: "phone", width: 390, height: 844 },
];

const workout = zwo(
  "Hill and Valley",
  `<Warmup Duration="20" PowerLow="0.5" PowerHigh="0.8"/>
        <SteadyState Duration="40" Power="0.9" Cadence="90"/>
        <SteadyState Duration="20" Power="0.55"/>
        <IntervalsT Repeat="3" OnDuration="20" OffDuration="10" OnPower="1.15" OffPower="0.5"/>
        <SteadyState Duration="30" Power="1.0"/>
        <Cooldown Duration="30" PowerLow="0.7" PowerHigh="0.4"/>`,
);

test("screenshots of all screens of a ride with four riders", async ({ newRider }) => {
  const [ana, ben, cem, dora] = [await newRider("Ana", 210), await newRider("Ben", 285), await newRider("Cem", 240), await newRider("Dora", 180)];
  const all = [ana, ben, cem, dora];
  const { page, ride } = ana;

  await ana.home.open();
  await expect(ana.home.start).toBeEnabled();
  await shoot(page, "1-home");
  await ana.startRide();
  await ben.page.goto(ana.invitation);
  await expect(ben.ride.join).toBeEnabled();
  await shoot(ben.page, "2-introduce");
  for (const rider of [ben, cem, dora]) {
    await rider.acceptInvitation(ana.invitation);
    await rider.expectLobby();
  }
  await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await shoot(page, "3-lobby");

  await ride.choose.click();
  await shoot(page, "4-chooser");
  await ride.workoutFile.setInputFiles(workout);
  await each(all, (rider) => rider.useSimulatedTrainer());
  await each([ana, ben, dora], (rider) => rider.ride.ready.check());
  await expect(ride.heading("Hill and Valley")).toBeVisible();
  await shoot(page, "5-lobby-with-workout");
  await shoot(ben.page, "6-lobby-of-a-rider");

  await ride.start.click();
  await expect(ride.countdown).toBeVisible();
  await shoot(page, "7-countdown");
  await each(all, (rider) => rider.ride.expectRiding());
  await expect(ride.metric("elapsed")).toHaveText("0:38", { timeout: 60_000 });
  await shoot(page, "8-ride");
  await page.setViewportSize(sizes[0]!);
  await page.screenshot({ path: path.join(folder, "..", "docs", "ride.png") });
  const panel = new ConnectionPanel(page);
  await panel.open();
  await shoot(page, "8b-connection");
  await panel.close();
  await page.getByRole("button", { name: "Manage riders" }).click();
  await shoot(page, "8c-manage");
  await page.keyboard.press("Escape");
  await ride.pause.click();
  await expect(ride.resume).toBeVisible();
  await shoot(page, "9-paused");

  await ride.end.click();
  await ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await expect(ride.summary).toBeVisible();
  await shoot(page, "10-summary");
});

/** Takes screenshots in both sizes: the viewport, and the whole page if it is longer. */
async function shoot(page: Page, screen: string): Promise<void> {
  for (const { name, ...size } of sizes) {
    await page.setViewportSize(size);
    const to = (suffix: string) => path.join(folder, ".out", `${screen}-${name}${suffix}.png`);
    await page.screenshot({ path: to("") });
    const more = await page.evaluate(() => document.documentElement.scrollHeight > window.innerHeight);
    if (more) await page.screenshot({ path: to("-whole"), fullPage: true });
  }
  await page.setViewportSize(sizes[0]!);
}
