import { linkHistory, timeUntil, type LinkEntry } from "../fixtures/link_history.ts";
import { ConnectionPanel } from "../pages/connection_panel.ts";
import type { Rider } from "../pages/rider.ts";
import { stunOnly, withTurn } from "./fixtures/coturn.ts";
import { linksDirectly, saveLink, type Help, type MeasuredLink } from "./fixtures/matrix.ts";
import { ACCESSES, type Access, type Network, type Site } from "./fixtures/network.ts";
import { expect, test, type NewBrowser, type NewPeer } from "./fixtures/test.ts";

/** Time after which a pair counts as relayed and the next rider joins, in milliseconds. */
const PATIENCE = 10_000;
/** Time for which all riders are there before the links are read: a first attempt to connect has failed by then. */
const SETTLING = 30_000;

/** A rider of the ride: a browser with its page, or a native peer. */
type Member = { access: Access; site: Site; rider?: Rider; id: string; joined: number };

/** A link, as all of its sides that are browsers show it. */
type Link = { own: Member; other: Member };

for (const help of ["STUN", "TURN"] as const) {
  test.describe(`with a ${help} server @matrix`, () => {
    test.use({ settings: help === "TURN" ? withTurn : stunOnly });
    test.setTimeout(1_200_000);

    test(`browsers behind each kind of router exchange numbers, with ${help}`, async ({ newBrowser, coturn: _ }) => {
      const members = await gatherBrowsers([...ACCESSES, ...ACCESSES], newBrowser);
      await measure(help, members);
    });

    test(`browsers and native peers behind each kind of router exchange numbers, with ${help}`, async ({ newBrowser, newPeer, network, coturn: _ }) => {
      const members = await gatherBrowsers(ACCESSES, newBrowser);
      await addPeers(members, network, newPeer);
      await measure(help, members);
    });
  });
}

/** Opens a browser for each access, and lets all join the ride of the first one, one after the other. */
async function gatherBrowsers(accesses: readonly Access[], newBrowser: NewBrowser): Promise<Member[]> {
  const waiting: { access: Access; site: Site; rider: Rider }[] = [];
  for (const [at, access] of accesses.entries()) {
    const { site, newRider } = await newBrowser(access);
    const rider = await newRider(`Rider ${at + 1}`, 200 + 10 * at);
    if (at === 0) {
      await rider.startRide();
      await rider.useSimulatedTrainer();
    } else {
      await rider.openInvitation(waiting[0]!.rider.invitation);
    }
    waiting.push({ access, site, rider });
  }
  const members: Member[] = [];
  for (const { access, site, rider } of waiting) {
    const joined = Date.now();
    if (members.length > 0) {
      await rider.ride.join.click();
      await rider.expectLobby();
      await rider.useSimulatedTrainer();
    }
    const member = { access, site, rider, id: await rider.ride.card(rider.name).peer(), joined };
    members.push(member);
    await settle(members.filter((other) => other !== member).map((own) => ({ own, other: member })));
  }
  return members;
}

/** Adds a native peer for each access. */
async function addPeers(members: Member[], network: Network, newPeer: NewPeer): Promise<void> {
  const { page, invitation } = members[0]!.rider!;
  const browsers = [...members];
  for (const access of ACCESSES) {
    const site = network.site(access);
    await newPeer(invitation, site);
    const known = new Set(members.map(({ id }) => id));
    const ids = () => page.evaluate(() => [...document.querySelectorAll("article[data-peer]")].map((card) => card.getAttribute("data-peer")!));
    const newId = async () => (await ids()).find((id) => !known.has(id)) ?? "";
    await expect.poll(newId).not.toBe("");
    const id = await newId();
    const joined = (await linkHistory(page, id))[0]!.at;
    const member = { access, site, id, joined };
    members.push(member);
    await settle(browsers.map((own) => ({ own, other: member })));
  }
}

/** Waits until all of these links are direct, or for some time. */
async function settle(links: Link[]): Promise<void> {
  const states = async () => (await Promise.all(links.map(histories))).flat().map((history) => history.at(-1)?.link);
  const areDirect = async () => (await states()).every((state) => state === "direct");
  await expect.poll(areDirect, { timeout: PATIENCE }).toBe(true).catch(() => {});
}

/** Saves all links that have a browser, and how fast those that are direct fall back when one side after the other is cut off. */
async function measure(help: Help, members: Member[]): Promise<void> {
  const { page } = members[0]!.rider!;
  await page.waitForTimeout(SETTLING);
  const links = members.flatMap((other, at) => members.slice(0, at).filter(({ rider }) => rider).map((own) => ({ own, other })));
  const candidates = await readCandidates(members);
  const fallbacks = await cutAll(members, links);
  for (const link of links) {
    const { own, other } = link;
    const all = await histories(link);
    const direct = slowest(all, other.joined, ({ link }) => link === "direct");
    const measured: MeasuredLink = {
      help,
      partner: other.rider ? "browser" : "native peer",
      accesses: [own.access, other.access],
      numbers: slowest(all, other.joined, ({ fresh }) => fresh),
      direct: Number.isFinite(direct) ? direct : null,
      candidates: candidates.get(`${own.id} ${other.id}`) ?? "",
      fallback: fallbacks.get(link) ?? null,
      staleTimes: all.flatMap(afterFirstNumbers).filter(({ fresh }) => !fresh).length,
    };
    saveLink(measured);
    const pair = `${own.access} and ${other.access}`;
    expect.soft(measured.direct !== null, `a direct link between ${pair}`).toBe(linksDirectly(measured));
    for (const history of all) expect.soft(history.at(-1)?.fresh, `numbers between ${pair}`).toBe(true);
  }
}

/** Types of the candidates of all links by the ids of both sides, as the first one shows them. */
async function readCandidates(members: Member[]): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (const { rider, id } of members) {
    if (!rider) continue;
    const panel = new ConnectionPanel(rider.page);
    await panel.open();
    // The statistics are read once in a while.
    await rider.page.waitForTimeout(2_500);
    const shown = await rider.page.evaluate(() =>
      [...document.querySelectorAll("tr[data-peer]")].map((row) => [
        row.getAttribute("data-peer")!,
        row.querySelector('[data-fact="candidate"]')?.textContent?.trim() ?? "",
      ] as const),
    );
    for (const [other, pair] of shown) all.set(`${id} ${other}`, pair);
    await panel.close();
  }
  return all;
}

/** Cuts off one side after the other for good. The time until both sides of each direct link showed that it is relayed. */
async function cutAll(members: Member[], links: Link[]): Promise<Map<Link, number>> {
  const times = new Map<Link, number>();
  for (const member of members) {
    const affected: Link[] = [];
    for (const link of links) {
      if (link.own !== member && link.other !== member) continue;
      if ((await histories(link)).every((history) => history.at(-1)?.link === "direct")) affected.push(link);
    }
    const cut = member.site.impair("no-webrtc");
    const states = async () => (await Promise.all(affected.map(histories))).flat().map((history) => history.at(-1)?.link);
    await expect.poll(states, { timeout: 20_000 }).not.toContain("direct");
    for (const link of affected) times.set(link, slowest(await histories(link), cut, ({ link }) => link === "relayed"));
  }
  return times;
}

/** Histories of a link, one for each side that is a browser. */
async function histories({ own, other }: Link): Promise<LinkEntry[][]> {
  const sides = [[own, other], [other, own]] as const;
  const shown = sides.filter(([{ rider }]) => rider);
  return Promise.all(shown.map(([{ rider }, { id }]) => linkHistory(rider!.page, id)));
}

function afterFirstNumbers(history: LinkEntry[]): LinkEntry[] {
  const first = history.findIndex(({ fresh }) => fresh);
  return first === -1 ? [] : history.slice(first);
}

function slowest(histories: LinkEntry[][], from: number, matches: (entry: LinkEntry) => boolean): number {
  return Math.max(...histories.map((history) => timeUntil(history, from, matches)));
}
