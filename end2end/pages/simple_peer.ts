import { expect, type JSHandle, type Page } from "@playwright/test";
import type { OpenClient } from "../fixtures/clients.ts";
import type { Server } from "../fixtures/server.ts";

/** The part of simple-peer that the client uses. The library has no types. */
type Link = {
  connected: boolean;
  signal(data: unknown): void;
  send(data: string): void;
  destroy(): void;
  on(event: "signal", listener: (data: unknown) => void): void;
  on(event: "data", listener: (data: Uint8Array) => void): void;
  on(event: "error", listener: () => void): void;
};

declare global {
  interface Window {
    SimplePeer: new (options: { initiator: boolean; config: RTCConfiguration }) => Link;
  }
}

type Rider = { name: string; ftp: number };
type ClientState = { id: string; isHost: boolean; links: Map<string, Link>; names: Map<string, string>; received: string[]; socket: WebSocket };

/** Messages of the server, forwarded ones included. */
type ServerMessage =
  | { type: "id"; id: string; isHost: boolean }
  | { type: "existing-peers"; peers: ({ id: string } & Rider)[] }
  | ({ type: "peer-joined"; peerId: string; isHost: boolean } & Rider)
  | { type: "peer-left"; peerId: string }
  | { type: "signal"; from: string; signal: unknown };

/**
 * A page with a client that joins with name and FTP and forms a star: all clients are linked to the host, which calls
 * newcomers and forwards their messages.
 */
export class StarPage {
  private constructor(
    readonly name: string,
    private readonly page: Page,
    private readonly state: JSHandle<ClientState>,
  ) {}

  static async open(openClient: OpenClient, server: Server, code: string, rider: Rider): Promise<StarPage> {
    const page = await openClient("simple-peer", rider.name);
    const state = await page.evaluateHandle(joinRoom, { address: `${server.origin.replace("http", "ws")}/signal/${code}`, rider });
    const star = new StarPage(rider.name, page, state);
    await expect.poll(() => state.evaluate(({ id }) => id), `id of ${rider.name}`).not.toBe("");
    return star;
  }

  isHost(): Promise<boolean> {
    return this.state.evaluate(({ isHost }) => isHost);
  }

  knownNames(): Promise<string[]> {
    return this.state.evaluate(({ names }) => [...names.values()].sort());
  }

  async expectLinks(count: number): Promise<void> {
    const linked = () => this.state.evaluate(({ links }) => [...links.values()].filter((link) => link.connected).length);
    await expect.poll(linked, `links of ${this.name}`).toBe(count);
  }

  async send(text: string): Promise<void> {
    await this.state.evaluate(({ links }, text) => links.forEach((link) => link.send(text)), text);
  }

  received(): Promise<string[]> {
    return this.state.evaluate(({ received }) => received);
  }

  async leave(): Promise<void> {
    await this.page.context().close();
  }
}

/** Runs in the page. */
function joinRoom({ address, rider }: { address: string; rider: Rider }): ClientState {
  const socket = new WebSocket(address);
  const state: ClientState = { id: "", isHost: false, links: new Map(), names: new Map(), received: [], socket };
  const tell = (message: object) => socket.send(JSON.stringify(message));

  const link = (peer: string, initiator: boolean): Link => {
    const known = state.links.get(peer);
    if (known) return known;
    const created = new window.SimplePeer({ initiator, config: { iceServers: [] } });
    state.links.set(peer, created);
    created.on("signal", (signal) => tell({ type: "signal", target: peer, signal }));
    created.on("data", (data) => {
      const text = new TextDecoder().decode(data);
      state.received.push(text);
      if (state.isHost) state.links.forEach((other) => other !== created && other.send(text));
    });
    created.on("error", () => state.links.delete(peer));
    return created;
  };

  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as ServerMessage;
    switch (message.type) {
      case "id": {
        const isNew = state.id === "";
        [state.id, state.isHost] = [message.id, message.isHost];
        if (isNew) tell({ type: "join", ...rider, isHost: message.isHost });
        break;
      }
      case "existing-peers":
        for (const { id, name } of message.peers) state.names.set(id, name);
        break;
      case "peer-joined":
        state.names.set(message.peerId, message.name);
        if (state.isHost) link(message.peerId, true);
        break;
      case "peer-left":
        state.names.delete(message.peerId);
        state.links.get(message.peerId)?.destroy();
        state.links.delete(message.peerId);
        break;
      case "signal":
        link(message.from, false).signal(message.signal);
    }
  };
  return state;
}
