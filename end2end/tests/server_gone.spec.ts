import { expect, test } from "../fixtures/test.ts";
import { fourSteps, halfMinute, longRide } from "../fixtures/workouts.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { Rider, each, eachPair, expectSameSecond, rideTogether } from "../pages/rider.ts";

declare global {
  interface Window {
    linksSeen?: string[];
  }
}

/** What browsers say of a server that is not there. */
const unreachable = /WebSocket connection to|ERR_CONNECTION|Failed to load resource/;

test("a server that crashes and comes back finds the same ride, with the same host", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  const all = [ana, ben, cem];
  await rideTogether(longRide, ana, ben, cem);
  await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  const peers = await each(all, (rider) => rider.ride.card(rider.name).peer());

  await test.step("without it, everybody rides on with everybody's numbers", async () => {
    await server.crash();
    await each(all, ({ page }) => expect(page.getByText(/Lost the server.*new riders cannot join/)).toBeVisible());
    await eachPair(all, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
    await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  });

  await test.step("the host still leads", async () => {
    await ana.ride.pause.click();
    await each(all, ({ ride }) => expect(ride.mine.getByText("Paused", { exact: true })).toBeVisible());
    await ana.ride.resume.click();
    await each(all, ({ ride }) => expect(ride.mine.getByText("Paused", { exact: true })).toBeHidden({ timeout: 15_000 }));
  });

  await test.step("when it is back, so is the ride, and somebody new can join", async () => {
    await server.startAgain();
    await each(all, ({ page }) => expect(page.getByText("Lost the server")).toBeHidden({ timeout: 40_000 }));
    expect(await each(all, (rider) => rider.ride.card(rider.name).peer())).toEqual(peers);
    await each(all, ({ ride }) => ride.card("Ana").expectRole("host"));
    await each(all, ({ ride }) => expect(ride.riders.getByRole("article")).toHaveCount(3));

    const dora = await enter("Dora", 180);
    await dora.accepts(ana.invitation);
    await expect(dora.ride.mine).toBeVisible();
    await expectSameSecond(ana, dora);
    await dora.ride.card("Ana").expectRole("host");
    await expectToChange(dora.ride.card("Ben").metric("power"));
  });
});

test("a server that is told to end and started again is back for everybody, while the direct links go on", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const riders = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320), await enter("Dora", 180)] as const;
  await rideTogether(longRide, ...riders);
  const all = [...riders];
  await eachPair(all, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await each(all, ({ ride }) => ride.riders.evaluate(watchLinks));

  const began = Date.now();
  expect(await server.stop(), "its exit code").toBe(0);
  expect(Date.now() - began, "milliseconds until it ended").toBeLessThan(10_000);
  await server.startAgain();
  await expect.poll(async () => (await server.health()).riders, { timeout: 10_000 }).toBe(4);
  await each(all, ({ page }) => expect(page.getByText("Lost the server")).toBeHidden());
  await eachPair(all, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  expect(await each(all, ({ page }) => page.evaluate(() => window.linksSeen))).toEqual(all.map(() => ["direct"]));
});

test("a server that is gone for good does not end the ride", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(halfMinute, ana, ben);
  await eachPair(both, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));

  await server.stop();
  await each(both, ({ page }) => expect(page.getByText("Lost the server")).toBeVisible());
  await eachPair(both, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  await each(both, ({ ride }) => expect(ride.summary).toBeVisible({ timeout: 40_000 }));
  await each(both, ({ ride }) => expect(ride.download).toBeEnabled());
  await each(both, ({ ride }) => expect(ride.figure("Duration")).toHaveText("0:30"));

  await server.startAgain();
});

test("without a server the host still changes the interval and ends the ride for everybody", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(fourSteps, ana, ben);
  await eachPair(both, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));

  await server.stop();
  await each(both, ({ page }) => expect(page.getByText("Lost the server")).toBeVisible());
  await ana.ride.skip.click();
  await each(both, ({ ride, ftp }) => expect(ride.metric("target")).toHaveText(`${0.7 * ftp}`));
  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await each(both, ({ ride }) => expect(ride.summary).toBeVisible());
  await each(both, ({ ride }) => expect(ride.download).toBeEnabled());

  await server.startAgain();
});

test("a server that comes back without its secret leaves those who ride to each other", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  const both = [ana, ben];
  await rideTogether(fourSteps, ana, ben);
  await eachPair(both, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));

  await server.crash();
  await server.startAgain({ GRUPPETTO_SECRET: "another secret of the browser tests" });
  await each(both, ({ page }) => expect(page.getByText(/The server no longer knows this ride. It goes on over direct links/)).toBeVisible({ timeout: 15_000 }));
  await eachPair(both, (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));
  await eachPair(both, (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
  await ana.ride.skip.click();
  await each(both, ({ ride, ftp }) => expect(ride.metric("target")).toHaveText(`${0.7 * ftp}`));
  await ana.ride.end.click();
  await ana.ride.confirm.getByRole("button", { name: "End for everyone" }).click();
  await each(both, ({ ride }) => expect(ride.summary).toBeVisible());

  await server.stop();
  await server.startAgain();
});

test("who wants to join when the server is gone is told what to do, and joins when it is back", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
  await ana.startsRide();
  await ben.opens(ana.invitation);
  await server.crash();

  await ben.ride.join.click();
  await expect(ben.page.getByRole("alert")).toContainText("The server cannot be reached. Check your connection, then try again.", { timeout: 15_000 });
  await server.startAgain();
  await expect(ana.page.getByText("Lost the server")).toBeHidden({ timeout: 10_000 });
  await ben.page.getByRole("button", { name: "Try again" }).click();
  await ben.ride.join.click();
  await ben.expectLobby();
  await ana.ride.card("Ben").expectRole("rider");
});

test("a tab opened anew after a restart of the server can still go on as who rode before", async ({ enter, server, faults }) => {
  faults.expect(unreachable);
  const ana = await enter("Ana", 200);
  await ana.startsRide();
  const invitation = ana.invitation;
  await server.crash();
  await expect(ana.page.getByText("Lost the server")).toBeVisible();
  const { context } = ana;
  await ana.page.close();
  await server.startAgain();

  const again = new Rider(await context.newPage(), "Ana", 200);
  await again.page.goto(invitation);
  await again.page.getByRole("button", { name: "Go on as Ana" }).click();
  await again.expectLobby();
  await again.ride.card("Ana").expectRole("host");
});

test("without a server and without its host, the ride finds a new host", async ({ enter, server, faults }) => {
  test.slow();
  faults.expect(unreachable);
  const [ana, ben, cem] = [await enter("Ana", 200), await enter("Ben", 250), await enter("Cem", 320)];
  await rideTogether(longRide, ana, ben, cem);
  await eachPair([ana, ben, cem], (watcher, other) => watcher.ride.card(other.name).expectLink("direct"));

  await server.crash();
  await each([ben, cem], ({ page }) => expect(page.getByText("Lost the server")).toBeVisible());
  await ana.page.close();
  await cem.ride.card("Ben").expectRole("host", 10_000);
  await expect(ben.page.getByText("You are host now.")).toBeVisible();
  await ben.ride.pause.click();
  await each([ben, cem], ({ ride }) => expect(ride.mine.getByText("Paused", { exact: true })).toBeVisible());

  await test.step("who has been gone for long is off the list, without a server to say so", async () => {
    await expect(cem.page.getByText("Ana did not come back.")).toBeVisible({ timeout: 45_000 });
    await expect(cem.ride.card("Ana").article).toBeHidden();
    await cem.ride.card("Ben").expectLink("direct");
  });

  await test.step("who is left alone is told why nobody decides", async () => {
    await cem.page.close();
    await expect(ben.page.getByText(/Lost the group.*Your workout and your recording go on/)).toBeVisible({ timeout: 15_000 });
    await expect(ben.page.getByText(/your controls as host wait/)).toBeVisible();
    await expect(ben.ride.resume).toBeDisabled();
  });

  await test.step("the server comes back to the host that the riders chose", async () => {
    await server.startAgain();
    await expect(ben.page.getByText("Lost the group")).toBeHidden({ timeout: 40_000 });
    await ben.ride.card("Ben").expectRole("host");
    await expect(ben.ride.resume).toBeEnabled();
    await ben.ride.resume.click();
    await expect(ben.ride.mine.getByText("Paused", { exact: true })).toBeHidden({ timeout: 15_000 });
  });
});

/** Notes every state in which a link to another rider is from now on. Runs in the page. */
function watchLinks(list: Element): void {
  const states = (): string[] => [...list.querySelectorAll("[data-link]")].map((card) => card.getAttribute("data-link") ?? "");
  const note = () => (window.linksSeen = [...new Set([...(window.linksSeen ?? []), ...states()])].filter((state) => state !== "self"));
  note();
  new MutationObserver(note).observe(list, { subtree: true, childList: true, attributeFilter: ["data-link"] });
}
