import { expect, test } from "../fixtures/clients.ts";
import { PeerPage, serializations, type Serialization } from "../pages/peerjs.ts";

const ids = ["ana", "ben", "cleo", "dan"];

/** A value that each serialization can transport. */
const samples: Record<Serialization, unknown> = {
  binary: { watts: [200, 210.5], name: "Ana 🚴", done: null },
  "binary-utf8": { watts: [200, 210.5], name: "Ana" },
  json: { watts: [200, 210.5], name: "Ana 🚴", done: null },
  raw: "Ana 🚴 rides",
};

for (const serialization of serializations) {
  test(`two PeerJS clients send each other data as ${serialization}`, async ({ openClient, server }) => {
    const [ana, ben] = [
      await PeerPage.open(openClient, server, "ana", serialization),
      await PeerPage.open(openClient, server, "ben", serialization),
    ];
    await ana.expectOpen();
    await ben.expectOpen();
    await ana.connect(ben, serialization);
    await ana.send(samples[serialization]);
    await ben.expectReceived(ana, samples[serialization]);
    await ben.send(samples[serialization]);
    await ana.expectReceived(ben, samples[serialization]);
  });
}

test("four PeerJS clients connect to each other, and a fifth gets the error that the room is full", async ({ openClient, server }) => {
  const peers: PeerPage[] = [];
  for (const id of ids) peers.push(await PeerPage.open(openClient, server, id, "four"));
  for (const [number, peer] of peers.entries()) {
    await peer.expectOpen();
    for (const other of peers.slice(0, number)) await peer.connect(other, "json");
  }
  const fifth = await PeerPage.open(openClient, server, "eve", "four");
  await fifth.expectError("Room is full");
  for (const peer of peers) {
    await peer.send({ from: peer.id });
    for (const other of peers.filter((one) => one !== peer)) await other.expectReceived(peer, { from: peer.id });
  }
});

test("a PeerJS client that reconnects keeps its connections and its id", async ({ openClient, server }) => {
  const [ana, ben, cleo] = [
    await PeerPage.open(openClient, server, "ana", "back"),
    await PeerPage.open(openClient, server, "ben", "back"),
    await PeerPage.open(openClient, server, "cleo", "back"),
  ];
  for (const peer of [ana, ben, cleo]) await peer.expectOpen();
  await ana.connect(ben, "json");
  await ben.reconnect();
  await cleo.connect(ben, "json");
  await cleo.send("hello again");
  await ben.expectReceived(cleo, "hello again");
  await ana.send("still here");
  await ben.expectReceived(ana, "still here");
  expect(await ana.openConnections()).toBe(1);
});

test("a PeerJS client cannot take the id of a connected client", async ({ openClient, server }) => {
  const ana = await PeerPage.open(openClient, server, "ana", "taken");
  await ana.expectOpen();
  const other = await PeerPage.open(openClient, server, "ana", "taken");
  await other.expectError('ID "ana" is taken');
});
