import { test as base } from "../fixtures/clients.ts";
import { parameters, names } from "./parameters.ts";
import { joinTimes, type MeasuredMesh, type Member } from "./measured_mesh.ts";
import { differences, saveFigures, type Figures, type MeshName } from "./figures.ts";
import { AppMesh } from "./app_mesh.ts";
import { measureLoad } from "./load.ts";
import { LibraryMesh } from "./library_mesh.ts";

const test = base.extend<{ meshes: Record<MeshName, () => MeasuredMesh> }>({
  meshes: async ({ newRider, openClient, server }, use) => {
    await use({
      Gruppetto: () => new AppMesh(newRider),
      PeerJS: () => new LibraryMesh("peerjs", openClient, server),
      "simple-peer": () => new LibraryMesh("simple-peer", openClient, server),
    });
  },
});

test.use({ settings: { GRUPPETTO_PEERJS_ROOM_SIZE: `${names.length}` } });

for (const name of ["Gruppetto", "PeerJS", "simple-peer"] as const) {
  for (const riders of parameters.groups) {
    test(`${riders} riders, ${name}`, async ({ meshes, browser, browserErrors }) => {
      // Errors of other libraries are not part of the measurement.
      if (name !== "Gruppetto") browserErrors.allow(/^/);
      const figures: Figures = { mesh: name, riders, numbers: [], direct: [], ages: [], skews: [], screens: [], bytes: [], processor: [], memory: [] };
      for (let ride = 0; ride < parameters.rides; ride += 1) {
        const mesh = meshes[name]();
        const members = await gather(mesh, riders, figures);
        await mesh.start(members);
        const starts = await Promise.all(members.map((member) => mesh.began(member)));
        figures.skews.push(...differences(starts.map(({ began }) => began)));
        figures.screens.push(...differences(starts.flatMap(({ shown }) => shown ?? [])));

        const pages = members.map(({ page }) => page);
        const [ages, load] = await measureLoad(browser, pages, () => mesh.ages(members, parameters.seconds));
        figures.ages.push(...ages);
        for (const resource of ["bytes", "processor", "memory"] as const) figures[resource].push(...load[resource]);
        await Promise.all(pages.map((page) => page.context().close()));
      }
      saveFigures(figures);
    });
  }
}

/** All riders join one after the other. The last one joins and leaves repeatedly, each time as a new rider. */
async function gather(mesh: MeasuredMesh, riders: number, figures: Figures): Promise<Member[]> {
  const members: Member[] = [];
  for (const name of names.slice(0, riders - 1)) {
    members.push(await mesh.join(await mesh.prepare(name), members));
  }
  const name = names[riders - 1]!;
  for (let join = 1; ; join += 1) {
    const last = await mesh.join(await mesh.prepare(name), members);
    const { numbers, direct } = await joinTimes(mesh, last, members);
    figures.numbers.push(numbers);
    figures.direct.push(direct);
    if (join === parameters.joins) return [...members, last];
    await mesh.leave(last, members);
    await last.page.context().close();
  }
}
