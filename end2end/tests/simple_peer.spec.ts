import { expect, test } from "../fixtures/clients.ts";
import { StarPage } from "../pages/simple_peer.ts";

test("simple-peer clients create a room, join it, and exchange messages in a star around the host", async ({ openClient, server }) => {
  const ana = await StarPage.open(openClient, server, "my own code", { name: "Ana", ftp: 250 });
  const ben = await StarPage.open(openClient, server, "my own code", { name: "Ben", ftp: 200 });
  await ana.expectLinks(1);
  await ben.expectLinks(1);
  const cleo = await StarPage.open(openClient, server, "my own code", { name: "Cleo", ftp: 180 });
  await cleo.expectLinks(1);
  await ana.expectLinks(2);
  expect([await ana.isHost(), await ben.isHost(), await cleo.isHost()]).toEqual([true, false, false]);
  await expect.poll(() => ben.knownNames()).toEqual(["Ana", "Cleo"]);
  expect(await cleo.knownNames()).toEqual(["Ana", "Ben"]);

  await ben.send("Ben: 201 W");
  await expect.poll(() => ana.received()).toEqual(["Ben: 201 W"]);
  await expect.poll(() => cleo.received()).toEqual(["Ben: 201 W"]);
  await ana.send("Ana: 251 W");
  await expect.poll(() => ben.received()).toEqual(["Ana: 251 W"]);
});

test("when the host of a simple-peer room leaves, the next client becomes host", async ({ openClient, server }) => {
  const ana = await StarPage.open(openClient, server, "next", { name: "Ana", ftp: 250 });
  const ben = await StarPage.open(openClient, server, "next", { name: "Ben", ftp: 200 });
  await ben.expectLinks(1);
  await ana.leave();
  await expect.poll(() => ben.isHost()).toBe(true);
  expect(await ben.knownNames()).toEqual([]);
  const cleo = await StarPage.open(openClient, server, "next", { name: "Cleo", ftp: 180 });
  await ben.expectLinks(1);
  await cleo.expectLinks(1);
});
