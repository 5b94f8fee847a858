import { expect, test } from "../fixtures/clients.ts";
import { PeerPage, serializations, type Serialization } from "../pages/peerjs.ts";

const ids = ["ana", "ben", "cleo", "dan"];

/** Something that each way of writing can carry. */
const parcels: Record<Serialization, unknown> = {
  binary: { watts: [200, 210.5], name: "Ana 🚴", done: null },
  "binary-utf8": { watts: [200, 210.5], name: "Ana" },
  json: { watts: [200, 210.5], name: "Ana 🚴", done: null },
  raw: "Ana 🚴 rides",
};

for (const serialization of serializations) {
  test(`two PeerJS clients send each other data as ${serialization}`, async ({ openClient, server }) => {
    const [ana, ben] = [
      await PeerPage.come(openClient, server, "ana", serialization),
      await PeerPage.come(openClient, server, "ben", serialization),
    ];
    await ana.opens();
    await ben.opens();
    await ana.connect(ben, serialization);
    await ana.send(parcels[serialization]);
    await ben.hears(ana, parcels[serialization]);
    await ben.send(parcels[serialization]);
    await ana.hears(ben, parcels[serialization]);
  });
}

test("four PeerJS clients are all linked, and a fifth is told that the room is full", async ({ openClient, server }) => {
  const peers: PeerPage[] = [];
  for (const id of ids) peers.push(await PeerPage.come(openClient, server, id, "four"));
  for (const [number, peer] of peers.entries()) {
    await peer.opens();
    for (const other of peers.slice(0, number)) await peer.connect(other, "json");
  }
  const fifth = await PeerPage.come(openClient, server, "eve", "four");
  await fifth.fails("Room is full");
  for (const peer of peers) {
    await peer.send({ from: peer.id });
    for (const other of peers.filter((one) => one !== peer)) await other.hears(peer, { from: peer.id });
  }
});

test("a PeerJS client that reconnects keeps its links, and is found under its id again", async ({ openClient, server }) => {
  const [ana, ben, cleo] = [
    await PeerPage.come(openClient, server, "ana", "back"),
    await PeerPage.come(openClient, server, "ben", "back"),
    await PeerPage.come(openClient, server, "cleo", "back"),
  ];
  for (const peer of [ana, ben, cleo]) await peer.opens();
  await ana.connect(ben, "json");
  await ben.reconnects();
  await cleo.connect(ben, "json");
  await cleo.send("hello again");
  await ben.hears(cleo, "hello again");
  await ana.send("still here");
  await ben.hears(ana, "still here");
  expect(await ana.openConnections()).toBe(1);
});

test("a PeerJS client cannot take the id of one that lives", async ({ openClient, server }) => {
  const ana = await PeerPage.come(openClient, server, "ana", "taken");
  await ana.opens();
  const other = await PeerPage.come(openClient, server, "ana", "taken");
  await other.fails('ID "ana" is taken');
});
