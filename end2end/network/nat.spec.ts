import { Panel } from "../pages/panel.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { eachPair, type Rider } from "../pages/rider.ts";
import { longRide } from "../fixtures/workouts.ts";
import { stunAlone, withTurn } from "./fixtures/coturn.ts";
import { bothSightings, measureMeeting, meet, type Meeting } from "./fixtures/meeting.ts";
import { expect, test } from "./fixtures/test.ts";

/** Both have numbers of the other over a direct link, on this way, which the second rider's panel calls so. */
async function expectDirect({ one, other }: Meeting, way: RegExp): Promise<string> {
  let named = "";
  await eachPair([one, other], (watcher, seen) => watcher.ride.card(seen.name).expectLink("direct", 20_000));
  for (const [watcher, seen] of [[one, other], [other, one]] as const) {
    const panel = new Panel(watcher.page);
    await panel.open();
    await expect(panel.of(seen.name, "candidate")).toHaveText(way);
    named = await panel.of(seen.name, "candidate").innerText();
    await panel.close();
  }
  return `direct, ${named}`;
}

/** Both have numbers of the other over the server, also after the first attempt at more has failed. */
async function expectRelayed(meeting: Meeting): Promise<string> {
  const { one, other } = meeting;
  const panel = new Panel(other.page);
  await panel.open();
  await expect.poll(async () => Number(await panel.total("attempts").innerText()), { timeout: 60_000 }).toBeGreaterThan(1);
  await panel.close();
  await eachPair([one, other], async (watcher, seen) => {
    await watcher.ride.card(seen.name).expectLink("relayed");
    await expect(watcher.ride.card(seen.name).article).not.toHaveAttribute("data-stale", "true");
  });
  const links = (await bothSightings(meeting)).flat().map(({ link }) => link);
  expect(links).not.toContain("direct");
  return "relayed by the server";
}

/** They ride, and numbers change. */
async function expectToRide(host: Rider, other: Rider): Promise<void> {
  await host.ride.share(longRide);
  await host.ride.start.click();
  await Promise.all([host, other].map((rider) => rider.ride.ridesSoon()));
  await eachPair([host, other], (watcher, seen) => expectToChange(watcher.ride.card(seen.name).metric("power")));
}

test("two riders on one network link directly, and need no other server for it", async ({ enter }) => {
  const meeting = await meet((await enter("Ana", 200)).rider, (await enter("Ben", 250)).rider);
  const way = await expectDirect(meeting, /^(host|prflx) – (host|prflx)$/);
  await measureMeeting("one network", meeting, way);
});

test.describe("with a STUN server", () => {
  test.use({ settings: stunAlone });

  test("two riders behind home routers link directly", async ({ enter, coturn: _ }) => {
    const meeting = await meet((await enter("Ana", 200, "cone")).rider, (await enter("Ben", 250, "cone")).rider);
    const way = await expectDirect(meeting, /srflx|prflx/);
    await measureMeeting("cone NAT to cone NAT", meeting, way);
    await expectToRide(meeting.one, meeting.other);
  });

  test("two riders behind symmetric NATs ride over the server", async ({ enter, coturn: _ }) => {
    const meeting = await meet((await enter("Ana", 200, "symmetric")).rider, (await enter("Ben", 250, "symmetric")).rider);
    const way = await expectRelayed(meeting);
    await measureMeeting("symmetric NAT to symmetric NAT", meeting, way);
    await expectToRide(meeting.one, meeting.other);
  });

  test("a rider whose network forbids UDP rides over the server", async ({ enter, coturn: _ }) => {
    const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
    ben.place.suffer("no-udp");
    const meeting = await meet(ana.rider, ben.rider);
    const way = await expectRelayed(meeting);
    await measureMeeting("UDP forbidden", meeting, way);
    await expectToRide(meeting.one, meeting.other);
  });
});

test.describe("with a TURN server", () => {
  test.use({ settings: withTurn });

  test("two riders behind symmetric NATs link over it, with the passwords that the server gives them", async ({ enter, coturn: _ }) => {
    const meeting = await meet((await enter("Ana", 200, "symmetric")).rider, (await enter("Ben", 250, "symmetric")).rider);
    const way = await expectDirect(meeting, /relay/);
    await measureMeeting("symmetric NAT to symmetric NAT, with TURN", meeting, way);
    await expectToRide(meeting.one, meeting.other);
  });

  test("so does a rider whose network forbids UDP, over TCP", async ({ enter, coturn: _ }) => {
    const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
    ben.place.suffer("no-udp");
    const meeting = await meet(ana.rider, ben.rider);
    const way = await expectDirect(meeting, /relay/);
    await measureMeeting("UDP forbidden, with TURN over TCP", meeting, way);
  });
});
