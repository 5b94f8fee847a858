import { readFileSync } from "node:fs";
import { expect, test } from "../fixtures/test.ts";
import { file } from "../fixtures/workouts.ts";

const course = (header: string, data: string) =>
  `[COURSE HEADER]\n${header}\n[END COURSE HEADER]\n[COURSE DATA]\n${data}\n[END COURSE DATA]\n`;

/** Files of all text formats, with the duration that a rider expects. */
const files = [
  {
    file: file("hills.erg", course("FILE NAME = Hills\nFTP = 250\nMINUTES WATTS", "0 125\n5 125\n5 250\n6.33 250"), "text/plain"),
    name: "Hills",
    duration: "6:20",
  },
  {
    file: file("share.mrc", course("DESCRIPTION = Shares\nMINUTES PERCENT", "0.00\t50\n10.00\t75"), "application/octet-stream"),
    name: "Shares",
    duration: "10:00",
  },
  {
    file: file(
      "older.json",
      readFileSync(new URL("../../crates/ride/tests/data/sweet-spot-intervals.json", import.meta.url)),
      "application/json",
    ),
    name: "Sweet Spot Intervals",
    duration: /^1:\d\d:00$/,
  },
];

test("workouts in other formats are shared as they are", async ({ newRider }) => {
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.acceptInvitation(ana.invitation);
  await ben.expectLobby();
  for (const { file, name, duration } of files) {
    await ana.ride.share(file);
    for (const { ride, page } of [ana, ben]) {
      await expect(ride.heading(name)).toBeVisible();
      await expect(page.locator(".workout-duration")).toHaveText(duration);
    }
  }
});

test("watts in a file without an FTP are shares of the rider's own, which the rider is told", async ({ newRider }) => {
  const ana = await newRider("Ana", 220);
  await ana.startRide();
  await ana.ride.choose.click();
  await ana.ride.workoutFile.setInputFiles(file("own.erg", course("MINUTES WATTS", "0 110\n5 110\n5 220\n10 220"), "text/plain"));
  const offer = ana.ride.chooser.getByRole("status").filter({ hasText: "Remarks on this file" });
  await expect(offer.getByRole("listitem")).toHaveText(/^Line 5, column 1: .*your FTP of 220 W/);
  await offer.getByRole("button", { name: "Use this workout" }).click();
  await expect(ana.ride.heading("own")).toBeVisible();
});

test("the built-in workouts can be searched and filtered", async ({ newRider }) => {
  const ana = await newRider("Ana", 200);
  await ana.startRide();
  await ana.ride.choose.click();
  const { chooser } = ana.ride;
  const cards = chooser.getByRole("list", { name: "Workouts" }).getByRole("listitem");
  await expect.poll(() => cards.count()).toBeGreaterThanOrEqual(24);
  await expect(cards.first()).toContainText(/IF 0\.\d\d · TSS \d+/);

  await chooser.getByLabel("Kind").selectOption("FTP tests");
  await expect(cards.getByRole("heading")).toHaveText(["Ramp test", "20-minute test"]);
  await chooser.getByLabel("Duration").selectOption("30 to 60 min");
  await expect(cards.getByRole("heading")).toHaveText(["Ramp test"]);
  await chooser.getByLabel("Search").fill("pyramid");
  await expect(chooser.getByText("No workout matches. Change the search or the filters.")).toBeVisible();
  await chooser.getByLabel("Kind").selectOption("All kinds");
  await expect(cards.getByRole("heading")).toHaveText(["VO2max pyramid"]);
  await cards.getByRole("button", { name: "Ride VO2max pyramid" }).click();
  await expect(ana.ride.heading("VO2max pyramid")).toBeVisible();
});
