import { expect, type JSHandle } from "@playwright/test";
import type { DataConnection, Peer, PeerOptions } from "peerjs";
import type { OpenClient } from "../fixtures/clients.ts";
import type { Server } from "../fixtures/server.ts";

/** Every way in which PeerJS writes what it sends. */
export const serializations = ["binary", "binary-utf8", "json", "raw"] as const;
export type Serialization = (typeof serializations)[number];

/** A stock PeerJS peer, what it heard and what went wrong. */
type Desk = {
  peer: Peer;
  connections: DataConnection[];
  heard: { from: string; data: unknown }[];
  errors: string[];
};

declare global {
  interface Window {
    peerjs: { Peer: new (id: string, options: PeerOptions) => Peer };
  }
}

/** A page with a stock PeerJS client. */
export class PeerPage {
  private constructor(
    readonly id: string,
    private readonly desk: JSHandle<Desk>,
  ) {}

  /** Makes a peer with a room's token; it is in when {@link opens}. */
  static async come(openClient: OpenClient, server: Server, id: string, token: string): Promise<PeerPage> {
    const page = await openClient("peerjs", id);
    const { hostname: host, port } = new URL(server.origin);
    const options = { host, port: Number(port), path: "/peerjs", token, config: { iceServers: [] } };
    const desk = await page.evaluateHandle(makePeer, { id, options });
    return new PeerPage(id, desk);
  }

  async opens(): Promise<void> {
    await expect.poll(() => this.desk.evaluate(({ peer }) => peer.open), `${this.id} is in`).toBe(true);
  }

  async connect(other: PeerPage, serialization: Serialization): Promise<void> {
    const to = { id: other.id, serialization };
    await this.desk.evaluate((desk, { id, serialization }) => {
      desk.connections.push(desk.peer.connect(id, { serialization, reliable: true }));
    }, to);
    await expect
      .poll(() => this.desk.evaluate((desk) => desk.connections.every((connection) => connection.open)))
      .toBe(true);
  }

  /** Sends something over every connection that this peer has made or was asked for. */
  async send(data: unknown): Promise<void> {
    await this.desk.evaluate((desk, data) => {
      for (const connection of desk.connections) void connection.send(data);
    }, data);
  }

  async hears(other: PeerPage, data: unknown): Promise<void> {
    const heard = () => this.desk.evaluate((desk) => desk.heard);
    await expect.poll(heard, `${this.id} hears ${other.id}`).toContainEqual({ from: other.id, data });
  }

  async fails(error: string): Promise<void> {
    await expect.poll(() => this.desk.evaluate((desk) => desk.errors)).toContainEqual(error);
  }

  /** Loses the server, as a network that goes away does, and comes back. */
  async reconnects(): Promise<void> {
    await this.desk.evaluate(({ peer }) => peer.disconnect());
    await expect.poll(() => this.desk.evaluate(({ peer }) => peer.disconnected)).toBe(true);
    await this.desk.evaluate(({ peer }) => peer.reconnect());
    await this.opens();
  }

  async openConnections(): Promise<number> {
    return this.desk.evaluate((desk) => desk.connections.filter((connection) => connection.open).length);
  }
}

/** Runs in the page. */
function makePeer({ id, options }: { id: string; options: PeerOptions }): Desk {
  const desk: Desk = { peer: new window.peerjs.Peer(id, options), connections: [], heard: [], errors: [] };
  const listen = (connection: DataConnection) => {
    connection.on("data", (data) => desk.heard.push({ from: connection.peer, data }));
  };
  const { peer } = desk;
  const connect = peer.connect.bind(peer);
  peer.connect = (other, how) => {
    const connection = connect(other, how);
    listen(connection);
    return connection;
  };
  peer.on("connection", (connection) => {
    desk.connections.push(connection);
    listen(connection);
  });
  peer.on("error", (error) => desk.errors.push(error.message));
  return desk;
}
