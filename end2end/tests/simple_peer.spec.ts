import { expect, test } from "../fixtures/clients.ts";
import { StarPage } from "../pages/simple_peer.ts";

test("simple-peer clients create a room, join it, and ride in a star through the host", async ({ openClient, server }) => {
  const ana = await StarPage.enter(openClient, server, "my own code", { name: "Ana", ftp: 250 });
  const ben = await StarPage.enter(openClient, server, "my own code", { name: "Ben", ftp: 200 });
  await ana.isLinkedTo(1);
  await ben.isLinkedTo(1);
  const cleo = await StarPage.enter(openClient, server, "my own code", { name: "Cleo", ftp: 180 });
  await cleo.isLinkedTo(1);
  await ana.isLinkedTo(2);
  expect([await ana.isHost(), await ben.isHost(), await cleo.isHost()]).toEqual([true, false, false]);
  await expect.poll(() => ben.knows()).toEqual(["Ana", "Cleo"]);
  expect(await cleo.knows()).toEqual(["Ana", "Ben"]);

  await ben.says("Ben: 201 W");
  await expect.poll(() => ana.heard()).toEqual(["Ben: 201 W"]);
  await expect.poll(() => cleo.heard()).toEqual(["Ben: 201 W"]);
  await ana.says("Ana: 251 W");
  await expect.poll(() => ben.heard()).toEqual(["Ana: 251 W"]);
});

test("when the host of simple-peer clients goes, the next in line is host", async ({ openClient, server }) => {
  const ana = await StarPage.enter(openClient, server, "next", { name: "Ana", ftp: 250 });
  const ben = await StarPage.enter(openClient, server, "next", { name: "Ben", ftp: 200 });
  await ben.isLinkedTo(1);
  await ana.leaves();
  await expect.poll(() => ben.isHost()).toBe(true);
  expect(await ben.knows()).toEqual([]);
  const cleo = await StarPage.enter(openClient, server, "next", { name: "Cleo", ftp: 180 });
  await ben.isLinkedTo(1);
  await cleo.isLinkedTo(1);
});
