import { Panel } from "../pages/panel.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { eachPair, type Rider } from "../pages/rider.ts";
import { longRide } from "../fixtures/workouts.ts";
import { stunAlone, withTurn } from "./fixtures/coturn.ts";
import { bothSightings, measureMeeting, meet, type Meeting } from "./fixtures/meeting.ts";
import { expect, test } from "./fixtures/test.ts";

/** Both have numbers of the other over a direct link, on this way. */
async function expectDirect({ one, other }: Meeting, way: RegExp): Promise<void> {
  await eachPair([one, other], (watcher, seen) => watcher.ride.card(seen.name).expectLink("direct", 20_000));
  for (const [watcher, seen] of [[one, other], [other, one]] as const) {
    const panel = new Panel(watcher.page);
    await panel.open();
    await expect(panel.of(seen.name, "candidate")).toHaveText(way);
    await panel.close();
  }
}

/** Both have numbers of the other over the server, also after the first attempt at more has failed. */
async function expectRelayed(meeting: Meeting): Promise<void> {
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
  await expectDirect(meeting, /^(host|prflx) – (host|prflx)$/);
  await measureMeeting("one network", meeting);
});

test.describe("with a STUN server", () => {
  test.use({ settings: stunAlone });

  test("two riders behind home routers link directly", async ({ enter, coturn: _ }) => {
    const meeting = await meet((await enter("Ana", 200, "cone")).rider, (await enter("Ben", 250, "cone")).rider);
    await expectDirect(meeting, /srflx|prflx/);
    await measureMeeting("cone NAT to cone NAT", meeting);
    await expectToRide(meeting.one, meeting.other);
  });

  test("two riders behind symmetric NATs ride over the server", async ({ enter, coturn: _ }) => {
    const meeting = await meet((await enter("Ana", 200, "symmetric")).rider, (await enter("Ben", 250, "symmetric")).rider);
    await expectRelayed(meeting);
    await measureMeeting("symmetric NAT to symmetric NAT", meeting);
    await expectToRide(meeting.one, meeting.other);
  });

  test("a rider whose network forbids UDP rides over the server", async ({ enter, coturn: _ }) => {
    const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
    ben.place.suffer("no-udp");
    const meeting = await meet(ana.rider, ben.rider);
    await expectRelayed(meeting);
    await measureMeeting("UDP forbidden", meeting);
    await expectToRide(meeting.one, meeting.other);
  });
});

test.describe("with a TURN server", () => {
  test.use({ settings: withTurn });

  test("two riders behind symmetric NATs link over it, with the passwords that the server gives them", async ({ enter, coturn: _ }) => {
    const meeting = await meet((await enter("Ana", 200, "symmetric")).rider, (await enter("Ben", 250, "symmetric")).rider);
    await expectDirect(meeting, /relay/);
    await measureMeeting("symmetric NAT to symmetric NAT, with TURN", meeting);
    await expectToRide(meeting.one, meeting.other);
  });

  test("so does a rider whose network forbids UDP, over TCP", async ({ enter, coturn: _ }) => {
    const [ana, ben] = [await enter("Ana", 200), await enter("Ben", 250)];
    ben.place.suffer("no-udp");
    const meeting = await meet(ana.rider, ben.rider);
    await expectDirect(meeting, /relay/);
    await measureMeeting("UDP forbidden, with TURN over TCP", meeting);
  });
});
