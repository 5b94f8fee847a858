import { everySecond, readFit, seconds } from "../fixtures/fit.ts";
import { countConnectedPairs } from "../fixtures/probes.ts";
import type { Server } from "../fixtures/server.ts";
import { expect, test } from "../fixtures/test.ts";
import { halfMinute } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, eachPair, expectSameSecond, type Rider } from "../pages/rider.ts";

test("three riders start together, ride half a minute over direct links, and download valid FIT files", async ({ newRider, server }) => {
  const ana = await newRider("Ana", 200, { permissions: ["clipboard-read", "clipboard-write"] });
  const ben = await newRider("Ben", 250);
  const cem = await newRider("Cem", 320);
  const all = [ana, ben, cem];

  await test.step("Ana creates a ride, Ben and Cem join by the invitation link", async () => {
    await ana.startRide();
    const invitation = await copiedLink(ana);
    await ben.acceptInvitation(invitation);
    await cem.acceptInvitation(invitation);
    await each(all, (rider) => rider.expectLobby());
    await each(all, (rider) => expect(rider.ride.riders.getByRole("article")).toHaveText([/Ana/, /Ben/, /Cem/]));
    await each(all, (rider) => rider.ride.card("Ana").expectRole("host"));
    await each(all, (rider) => rider.ride.card("Cem").expectRole("rider"));
    await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
    await expect.poll(() => each(all, (rider) => rider.page.evaluate(countConnectedPairs))).toEqual([2, 2, 2]);
  });

  await test.step("all riders see the workout that the host shared", async () => {
    await expect(ben.ride.choose).toBeHidden();
    await expect(ana.ride.start).toBeDisabled();
    await ana.ride.share(halfMinute);
    await each(all, async ({ ride, page }) => {
      await expect(ride.heading("Half a Minute")).toBeVisible();
      await expect(page.getByText("0:30", { exact: true }).first()).toBeVisible();
      await expect(ride.profile).toBeVisible();
    });
  });

  await test.step("all riders set ready, and see it of each other", async () => {
    await each(all, (rider) => rider.useSimulatedTrainer());
    await each(all, (rider) => rider.ride.ready.check());
    await eachPair(all, async (watcher, other) => {
      await expect(watcher.ride.card(other.name).article.getByText("Ready", { exact: true })).toBeVisible();
    });
  });

  await test.step("all riders see the countdown and start at the same time", async () => {
    await ana.ride.start.click();
    await each(all, (rider) => expect(rider.ride.countdown).toHaveText(/^([1-9]|10)$/));
    await each(all, (rider) => rider.ride.expectRiding());
    // How many milliseconds lie between the starts is measured by `make bench-mesh`.
    await expectSameSecond(ana, ben);
    await expectSameSecond(ana, cem);
  });

  await test.step("each rider has a target for their own FTP, in the first interval", async () => {
    await each(all, async ({ ride, ftp }) => {
      await expect(ride.metric("target")).toHaveText(`${0.6 * ftp}`);
      await expect(ride.metric("power")).toHaveText(/^[1-9]\d*$/);
      await expect(ride.myRide).toContainText("Interval 1 of 3");
    });
    await eachPair(all, (watcher, other) => expect(watcher.ride.card(other.name).metric("target")).toHaveText(`${0.6 * other.ftp}`));
  });

  await test.step("all numbers of the other riders change, and power also while no frame is relayed", async () => {
    // The target changes with the next interval, the cadence with the last one at the latest.
    const changes = eachPair(all, async (watcher, other) => {
      const card = watcher.ride.card(other.name);
      const metrics = (["cadence", "heart-rate", "progress", "target"] as const).map((metric) => card.metric(metric));
      await Promise.all(metrics.map((metric) => expectToChange(metric, 28_000)));
    });
    const direct = expect(async () => {
      const before = await relayedFrames(server);
      await eachPair(all, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
      expect(await relayedFrames(server)).toBe(before);
    }).toPass({ timeout: 15_000 });
    await Promise.all([changes, direct]);
    await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
    await expect.poll(() => each(all, (rider) => rider.page.evaluate(countConnectedPairs))).toEqual([2, 2, 2]);
  });

  await test.step("all riders finish and see their summary", async () => {
    await each(all, ({ ride }) => expect(ride.summary).toBeVisible({ timeout: 30_000 }));
    await each(all, async ({ ride, ftp }) => {
      await expect(ride.figure("Duration")).toHaveText("0:30");
      for (const figure of ["Average power", "Normalised power"]) {
        const watts = Number(await ride.figure(figure).innerText());
        expect(watts, figure).toBeGreaterThan(0.4 * ftp);
        expect(watts, figure).toBeLessThan(0.9 * ftp);
      }
      for (const figure of ["Average cadence", "Average heart rate", "Work"]) {
        expect(Number(await ride.figure(figure).innerText()), figure).toBeGreaterThan(0);
      }
    });
  });

  await test.step("all riders download a valid FIT file", async () => {
    for (const rider of all) await expectCompleteRecording(rider);
  });
});

async function copiedLink(host: Rider): Promise<string> {
  await expect(host.ride.code).toHaveText(/^[a-z]+-[a-z]+-\d{4}$/);
  await expect.poll(() => host.ride.qrCode.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await host.ride.copyLink.click();
  const clipboard = () => host.page.evaluate(() => navigator.clipboard.readText());
  await expect.poll(clipboard).toBe(host.page.url());
  expect(host.page.url()).toContain(`/ride/${await host.ride.code.innerText()}`);
  return clipboard();
}

async function relayedFrames(server: Server): Promise<number> {
  return (await server.health()).relayedFrames;
}

async function expectCompleteRecording({ ride, ftp }: Rider): Promise<void> {
  const fit = await readFit(await ride.downloadFit());
  expect(fit.fileId.type).toBe("activity");
  expect(fit.session.sport).toBe("cycling");
  expect(fit.session.subSport).toBe("indoorCycling");

  expect(Math.abs(fit.records.length - 30), "about one record a second").toBeLessThanOrEqual(1);
  expect(seconds(fit)).toEqual(everySecond(fit.records.length));
  const powers = fit.records.map((record) => record.power ?? 0);
  expect(Math.max(...powers)).toBeGreaterThan(0.8 * ftp);
  expect(Math.max(...powers)).toBeLessThan(1.1 * ftp);

  // Records have whole seconds of the wall clock, while intervals start within a second.
  const laps = fit.laps.map((lap) => lap.totalTimerTime ?? 0);
  expect(laps).toHaveLength(3);
  [14, 8, 8].forEach((length, lap) => expect(Math.abs(laps[lap]! - length), `lap ${lap + 1}`).toBeLessThanOrEqual(1));
  expect(Math.abs((fit.session.totalTimerTime ?? 0) - 30)).toBeLessThanOrEqual(1);
  expect(Math.abs((fit.session.totalElapsedTime ?? 0) - 30)).toBeLessThanOrEqual(1);
  const average = powers.reduce((sum, power) => sum + power, 0) / powers.length;
  expect(Math.abs((fit.session.avgPower ?? 0) - average)).toBeLessThanOrEqual(1);
  expect(fit.session.maxPower).toBe(Math.max(...powers));
}
