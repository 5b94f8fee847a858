import { expect, type JSHandle } from "@playwright/test";
import type { DataConnection, Peer, PeerOptions } from "peerjs";
import type { OpenClient } from "../fixtures/clients.ts";
import type { Server } from "../fixtures/server.ts";

/** The serializations of PeerJS. */
export const serializations = ["binary", "binary-utf8", "json", "raw"] as const;
export type Serialization = (typeof serializations)[number];

/** A PeerJS peer with its connections, received messages and errors. */
type PeerState = {
  peer: Peer;
  connections: DataConnection[];
  received: { from: string; data: unknown }[];
  errors: string[];
};

declare global {
  interface Window {
    peerjs: { Peer: new (id: string, options: PeerOptions) => Peer };
  }
}

/** A page with an unmodified PeerJS client. */
export class PeerPage {
  private constructor(
    readonly id: string,
    private readonly state: JSHandle<PeerState>,
  ) {}

  /** Creates a peer with the token of a room. {@link expectOpen} waits until it is connected. */
  static async open(openClient: OpenClient, server: Server, id: string, token: string): Promise<PeerPage> {
    const page = await openClient("peerjs", id);
    const { hostname: host, port } = new URL(server.origin);
    const options = { host, port: Number(port), path: "/peerjs", token, config: { iceServers: [] } };
    const state = await page.evaluateHandle(makePeer, { id, options });
    return new PeerPage(id, state);
  }

  async expectOpen(): Promise<void> {
    await expect.poll(() => this.state.evaluate(({ peer }) => peer.open), `${this.id} is connected`).toBe(true);
  }

  async connect(other: PeerPage, serialization: Serialization): Promise<void> {
    const to = { id: other.id, serialization };
    await this.state.evaluate((state, { id, serialization }) => {
      state.connections.push(state.peer.connect(id, { serialization, reliable: true }));
    }, to);
    await expect
      .poll(() => this.state.evaluate((state) => state.connections.every((connection) => connection.open)))
      .toBe(true);
  }

  /** Sends data over all connections of this peer, outgoing and incoming. */
  async send(data: unknown): Promise<void> {
    await this.state.evaluate((state, data) => {
      for (const connection of state.connections) void connection.send(data);
    }, data);
  }

  async expectReceived(other: PeerPage, data: unknown): Promise<void> {
    const received = () => this.state.evaluate((state) => state.received);
    await expect.poll(received, `messages that ${this.id} received from ${other.id}`).toContainEqual({ from: other.id, data });
  }

  async expectError(error: string): Promise<void> {
    await expect.poll(() => this.state.evaluate((state) => state.errors)).toContainEqual(error);
  }

  /** Disconnects from the server and reconnects. */
  async reconnect(): Promise<void> {
    await this.state.evaluate(({ peer }) => peer.disconnect());
    await expect.poll(() => this.state.evaluate(({ peer }) => peer.disconnected)).toBe(true);
    await this.state.evaluate(({ peer }) => peer.reconnect());
    await this.expectOpen();
  }

  async openConnections(): Promise<number> {
    return this.state.evaluate((state) => state.connections.filter((connection) => connection.open).length);
  }
}

/** Runs in the page. */
function makePeer({ id, options }: { id: string; options: PeerOptions }): PeerState {
  const state: PeerState = { peer: new window.peerjs.Peer(id, options), connections: [], received: [], errors: [] };
  const listen = (connection: DataConnection) => {
    connection.on("data", (data) => state.received.push({ from: connection.peer, data }));
  };
  const { peer } = state;
  const connect = peer.connect.bind(peer);
  peer.connect = (other, how) => {
    const connection = connect(other, how);
    listen(connection);
    return connection;
  };
  peer.on("connection", (connection) => {
    state.connections.push(connection);
    listen(connection);
  });
  peer.on("error", (error) => state.errors.push(error.message));
  return state;
}
