import { longRide } from "../fixtures/workouts.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { expectToChange } from "../pages/rider_card.ts";
import { eachPair, type Rider } from "../pages/rider.ts";
import { stunOnly, withTurn } from "./fixtures/coturn.ts";
import { bothLinkHistories, joinPair, measureJoining, type JoinedPair } from "./fixtures/joining.ts";
import { expect, test } from "./fixtures/test.ts";

/** Expects a direct link on both sides, with candidates that match. Describes the path as the newcomer's panel shows it. */
async function expectDirect({ host, newcomer }: JoinedPair, candidates: RegExp): Promise<string> {
  let shown = "";
  await eachPair([host, newcomer], (watcher, other) => watcher.ride.card(other.name).expectLink("direct", 20_000));
  for (const [watcher, other] of [[host, newcomer], [newcomer, host]] as const) {
    const panel = new ConnectionPanel(watcher.page);
    await panel.open();
    await expect(panel.linkValue(other.name, "candidate")).toHaveText(candidates);
    shown = await panel.linkValue(other.name, "candidate").innerText();
    await panel.close();
  }
  return `direct, ${shown}`;
}

/** Expects fresh numbers over the relay on both sides, also after the first attempt to connect directly has failed. */
async function expectRelayed(pair: JoinedPair): Promise<string> {
  const { host, newcomer } = pair;
  const panel = new ConnectionPanel(newcomer.page);
  await panel.open();
  await expect.poll(async () => Number(await panel.total("attempts").innerText()), { timeout: 60_000 }).toBeGreaterThan(1);
  await panel.close();
  await eachPair([host, newcomer], async (watcher, other) => {
    await watcher.ride.card(other.name).expectLink("relayed");
    await expect(watcher.ride.card(other.name).article).not.toHaveAttribute("data-stale", "true");
  });
  const links = (await bothLinkHistories(pair)).flat().map(({ link }) => link);
  expect(links).not.toContain("direct");
  return "relayed by the server";
}

/** Starts a ride, and expects the power of both riders to change on the other's screen. */
async function expectToRide({ host, newcomer }: JoinedPair): Promise<void> {
  await host.ride.share(longRide);
  await host.ride.start.click();
  await Promise.all([host, newcomer].map((rider: Rider) => rider.ride.expectRiding()));
  await eachPair([host, newcomer], (watcher, other) => expectToChange(watcher.ride.card(other.name).metric("power")));
}

test("two riders on one network link directly without a STUN or TURN server", async ({ newRider }) => {
  const pair = await joinPair((await newRider("Ana", 200)).rider, (await newRider("Ben", 250)).rider);
  const path = await expectDirect(pair, /^(host|prflx) – (host|prflx)$/);
  await measureJoining("one network", pair, path);
});

test.describe("with a STUN server", () => {
  test.use({ settings: stunOnly });

  test("two riders behind home routers link directly", async ({ newRider, coturn: _ }) => {
    const pair = await joinPair((await newRider("Ana", 200, "cone")).rider, (await newRider("Ben", 250, "cone")).rider);
    const path = await expectDirect(pair, /srflx|prflx/);
    await measureJoining("cone NAT to cone NAT", pair, path);
    await expectToRide(pair);
  });

  test("two riders behind symmetric NATs ride over the relay", async ({ newRider, coturn: _ }) => {
    const pair = await joinPair((await newRider("Ana", 200, "symmetric")).rider, (await newRider("Ben", 250, "symmetric")).rider);
    const path = await expectRelayed(pair);
    await measureJoining("symmetric NAT to symmetric NAT", pair, path);
    await expectToRide(pair);
  });

  test("a rider on a network without UDP rides over the relay", async ({ newRider, coturn: _ }) => {
    const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
    ben.site.impair("no-udp");
    const pair = await joinPair(ana.rider, ben.rider);
    const path = await expectRelayed(pair);
    await measureJoining("UDP forbidden", pair, path);
    await expectToRide(pair);
  });
});

test.describe("with a TURN server", () => {
  test.use({ settings: withTurn });

  test("two riders behind symmetric NATs link over it, with credentials from the server", async ({ newRider, coturn: _ }) => {
    const pair = await joinPair((await newRider("Ana", 200, "symmetric")).rider, (await newRider("Ben", 250, "symmetric")).rider);
    const path = await expectDirect(pair, /relay/);
    await measureJoining("symmetric NAT to symmetric NAT, with TURN", pair, path);
    await expectToRide(pair);
  });

  test("a rider on a network without UDP links over it by TCP", async ({ newRider, coturn: _ }) => {
    const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
    ben.site.impair("no-udp");
    const pair = await joinPair(ana.rider, ben.rider);
    const path = await expectDirect(pair, /relay/);
    await measureJoining("UDP forbidden, with TURN over TCP", pair, path);
  });
});
