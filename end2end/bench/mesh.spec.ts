import { test as base } from "../fixtures/clients.ts";
import { amount, names } from "./amount.ts";
import { meeting, type Crowd, type Member } from "./crowd.ts";
import { apart, keep, type Figures, type Mesh } from "./figures.ts";
import { GruppettoCrowd } from "./gruppetto.ts";
import { loadOf } from "./pages.ts";
import { PlainCrowd } from "./plain.ts";

const test = base.extend<{ crowds: Record<Mesh, () => Crowd> }>({
  crowds: async ({ enter, openClient, server }, use) => {
    await use({
      Gruppetto: () => new GruppettoCrowd(enter),
      PeerJS: () => new PlainCrowd("peerjs", openClient, server),
      "simple-peer": () => new PlainCrowd("simple-peer", openClient, server),
    });
  },
});

test.use({ settings: { GRUPPETTO_PEERJS_ROOM_SIZE: `${names.length}` } });

for (const mesh of ["Gruppetto", "PeerJS", "simple-peer"] as const) {
  for (const riders of amount.crowds) {
    test(`${riders} riders, ${mesh}`, async ({ crowds, browser, faults }) => {
      // What other libraries complain of is not measured here.
      if (mesh !== "Gruppetto") faults.expect(/^/);
      const figures: Figures = { mesh, riders, numbers: [], direct: [], ages: [], skews: [], screens: [], bytes: [], processor: [], memory: [] };
      for (let ride = 0; ride < amount.rides; ride += 1) {
        const crowd = crowds[mesh]();
        const members = await gather(crowd, riders, figures);
        await crowd.start(members);
        const starts = await Promise.all(members.map((member) => crowd.began(member)));
        figures.skews.push(...apart(starts.map(({ began }) => began)));
        figures.screens.push(...apart(starts.flatMap(({ shown }) => shown ?? [])));

        const pages = members.map(({ page }) => page);
        const [ages, load] = await loadOf(browser, pages, () => crowd.ages(members, amount.seconds));
        figures.ages.push(...ages);
        for (const of of ["bytes", "processor", "memory"] as const) figures[of].push(...load[of]);
        await Promise.all(pages.map((page) => page.context().close()));
      }
      keep(figures);
    });
  }
}

/** Everybody joins one after the other; the last one does so again and again, each time as somebody new. */
async function gather(crowd: Crowd, riders: number, figures: Figures): Promise<Member[]> {
  const members: Member[] = [];
  for (const name of names.slice(0, riders - 1)) {
    members.push(await crowd.join(await crowd.prepare(name), members));
  }
  const name = names[riders - 1]!;
  for (let join = 1; ; join += 1) {
    const last = await crowd.join(await crowd.prepare(name), members);
    const { numbers, direct } = await meeting(crowd, last, members);
    figures.numbers.push(numbers);
    figures.direct.push(direct);
    if (join === amount.joins) return [...members, last];
    await crowd.leave(last, members);
    await last.page.context().close();
  }
}
