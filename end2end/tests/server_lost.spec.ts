import { expect, test } from "../fixtures/test.ts";
import { fourSteps, longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { each, eachPair, expectSameSecond, rideTogether } from "../pages/rider.ts";

declare global {
  interface Window {
    linkStates?: string[];
  }
}

/** Errors that browsers report about a server that is down. */
const unreachable = /WebSocket connection to|ERR_CONNECTION|Failed to load resource/;

test("after a crash and restart of the server the ride continues with the same riders and host", async ({ newRider, server, browserErrors }) => {
  browserErrors.allow(unreachable);
  const [ana, ben, cem] = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320)];
  const all = [ana, ben, cem];
  await rideTogether(longRide, ana, ben, cem);
  await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  const peers = await each(all, (rider) => rider.ride.card(rider.name).peer());

  await test.step("without the server all riders keep receiving each other's numbers", async () => {
    await server.crash();
    await each(all, ({ page }) => expect(page.getByText(/Lost the server.*new riders cannot join/)).toBeVisible());
    await eachPair(all, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
    await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  });

  await test.step("the host still controls the ride", async () => {
    await ana.ride.pause.click();
    await each(all, ({ ride }) => expect(ride.myRide.getByText("Paused", { exact: true })).toBeVisible());
    await ana.ride.resumeRide();
    await each(all, ({ ride }) => expect(ride.myRide.getByText("Paused", { exact: true })).toBeHidden({ timeout: 15_000 }));
  });

  await test.step("after the restart the ride is available again and a new rider can join", async () => {
    await server.restart();
    await each(all, ({ page }) => expect(page.getByText("Lost the server")).toBeHidden({ timeout: 40_000 }));
    expect(await each(all, (rider) => rider.ride.card(rider.name).peer())).toEqual(peers);
    await each(all, ({ ride }) => ride.card("Ana").expectRole("host"));
    await each(all, ({ ride }) => expect(ride.riders.getByRole("article")).toHaveCount(3));

    const dora = await newRider("Dora", 180);
    await dora.acceptInvitation(ana.invitation);
    await expect(dora.ride.myRide).toBeVisible();
    await expectSameSecond(ana, dora);
    await dora.ride.card("Ana").expectRole("host");
    await expectToChange(dora.ride.card("Ben").metric("power"));
  });
});

test("riders reconnect after a restart of the server, and their direct links are not interrupted", async ({ newRider, server, browserErrors }) => {
  browserErrors.allow(unreachable);
  const riders = [await newRider("Ana", 200), await newRider("Ben", 250), await newRider("Cem", 320), await newRider("Dora", 180)] as const;
  await rideTogether(longRide, ...riders);
  const all = [...riders];
  await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await each(all, ({ ride }) => ride.riders.evaluate(recordLinkStates));

  const began = Date.now();
  expect(await server.stop(), "exit code").toBe(0);
  expect(Date.now() - began, "milliseconds until it stopped").toBeLessThan(10_000);
  await server.restart();
  await expect.poll(async () => (await server.health()).riders, { timeout: 10_000 }).toBe(4);
  await each(all, ({ page }) => expect(page.getByText("Lost the server")).toBeHidden());
  await eachPair(all, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  expect(await each(all, ({ page }) => page.evaluate(() => window.linkStates))).toEqual(all.map(() => ["direct"]));
});

test("after a restart of the server with another secret the riders continue over their direct links", async ({ newRider, server, browserErrors }) => {
  browserErrors.allow(unreachable);
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(fourSteps, ana, ben);
  await eachPair(both, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));

  await server.crash();
  await server.restart({ GRUPPETTO_SECRET: "another secret of the browser tests" });
  await each(both, ({ page }) => expect(page.getByText(/The server no longer knows this ride. It goes on over direct links/)).toBeVisible({ timeout: 15_000 }));
  await eachPair(both, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await eachPair(both, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  await ana.ride.skip.click();
  await each(both, ({ ride, ftp }) => expect(ride.metric("target")).toHaveText(`${0.7 * ftp}`));
  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await each(both, ({ ride }) => expect(ride.summary).toBeVisible());

  await server.stop();
  await server.restart();
});

test("a rider who joins while the server is down gets an error message, and can join after its restart", async ({ newRider, server, browserErrors }) => {
  browserErrors.allow(unreachable);
  const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
  await ana.startRide();
  await ben.openInvitation(ana.invitation);
  // The part of the app with the ride has arrived.
  await ben.page.waitForLoadState("networkidle");
  await server.crash();

  await ben.ride.join.click();
  await expect(ben.page.getByRole("alert")).toContainText("The server cannot be reached. Check your connection, then try again.", { timeout: 15_000 });
  await server.restart();
  await expect(ana.page.getByText("Lost the server")).toBeHidden({ timeout: 10_000 });
  await ben.page.getByRole("button", { name: "Try again" }).click();
  await ben.ride.join.click();
  await ben.expectLobby();
  await ana.ride.card("Ben").expectRole("rider");
});

/** Records all link states of other riders from now on. Runs in the page. */
function recordLinkStates(list: Element): void {
  const states = (): string[] => [...list.querySelectorAll("[data-link]")].map((card) => card.getAttribute("data-link") ?? "");
  const record = () => (window.linkStates = [...new Set([...(window.linkStates ?? []), ...states()])].filter((state) => state !== "self"));
  record();
  new MutationObserver(record).observe(list, { subtree: true, childList: true, attributeFilter: ["data-link"] });
}
