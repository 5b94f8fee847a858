import { longRide } from "../fixtures/workouts.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import { RiderCard, expectToChange } from "../pages/rider_card.ts";
import { eachPair, type Rider } from "../pages/rider.ts";
import { stunOnly, withTurn } from "./fixtures/coturn.ts";
import { bothLinkHistories, joinPair, measureJoining, type JoinedPair } from "./fixtures/joining.ts";
import type { Site } from "./fixtures/network.ts";
import { expect, test, type NewPeer } from "./fixtures/test.ts";

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

/** A browser's rider in a ride of their own, and the card of a native peer who has joined it. */
async function joinedByPeer(rider: Rider, newPeer: NewPeer, site: Site): Promise<RiderCard> {
  await rider.startRide();
  await rider.useSimulatedTrainer();
  await newPeer(rider.invitation, site);
  const others = rider.ride.riders.locator('article:not([data-link="self"])');
  await expect(others).toHaveCount(1);
  return new RiderCard(others);
}

/** Types of the candidates of the only link, as the rider's panel shows them. */
async function expectCandidates({ page }: Rider, candidates: RegExp): Promise<void> {
  const panel = new ConnectionPanel(page);
  await panel.open();
  await expect(panel.dialog.locator('tr[data-peer] [data-fact="candidate"]')).toHaveText(candidates);
  await panel.close();
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

// Without it, neither side knows a public address of the other.
test("without a STUN server, a native peer behind a full cone NAT is relayed", async ({ newRider, newPeer, network }) => {
  const { rider } = await newRider("Ana", 200, "symmetric");
  const card = await joinedByPeer(rider, newPeer, network.site("full cone"));
  await rider.page.waitForTimeout(5_000);
  await card.expectLink("relayed");
  await expect(card.article).not.toHaveAttribute("data-stale", "true");
});

test.describe("with a STUN server", () => {
  test.use({ settings: stunOnly });

  test("two riders behind home routers link directly", async ({ newRider, coturn: _ }) => {
    const pair = await joinPair((await newRider("Ana", 200, "port-restricted")).rider, (await newRider("Ben", 250, "port-restricted")).rider);
    const path = await expectDirect(pair, /srflx|prflx/);
    await measureJoining("cone NAT to cone NAT", pair, path);
    await expectToRide(pair);
  });

  // The port of the browser's address is another one for the peer than for the STUN server, so that the peer cannot reach it:
  // the link is made by the browser's packets to the address that the STUN server told the peer.
  test("a native peer behind a full cone NAT is reached at the address that a STUN server told it", async ({ newRider, newPeer, network, coturn: _ }) => {
    const { rider } = await newRider("Ana", 200, "symmetric");
    const card = await joinedByPeer(rider, newPeer, network.site("full cone"));
    await card.expectLink("direct", 20_000);
    await expectCandidates(rider, /– srflx$/);
    await expect(card.article).not.toHaveAttribute("data-stale", "true");
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

  test("a native peer behind a symmetric NAT links over the TURN server of a browser behind one", async ({ newRider, newPeer, network, coturn: _ }) => {
    const { rider } = await newRider("Ana", 200, "symmetric");
    const card = await joinedByPeer(rider, newPeer, network.site("symmetric"));
    await card.expectLink("direct", 20_000);
    await expectCandidates(rider, /^relay – /);
    await expect(card.article).not.toHaveAttribute("data-stale", "true");
  });

  test("a rider on a network without UDP links over it by TCP", async ({ newRider, coturn: _ }) => {
    const [ana, ben] = [await newRider("Ana", 200), await newRider("Ben", 250)];
    ben.site.impair("no-udp");
    const pair = await joinPair(ana.rider, ben.rider);
    const path = await expectDirect(pair, /relay/);
    await measureJoining("UDP forbidden, with TURN over TCP", pair, path);
  });
});
