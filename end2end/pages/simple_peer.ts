import { expect, type JSHandle, type Page } from "@playwright/test";
import type { OpenClient } from "../fixtures/clients.ts";
import type { Server } from "../fixtures/server.ts";

/** As much of the simple-peer library as the client uses; it comes without types. */
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
type Club = { id: string; isHost: boolean; links: Map<string, Link>; names: Map<string, string>; heard: string[]; socket: WebSocket };

/** What the server says, and what it passes on. */
type Heard =
  | { type: "id"; id: string; isHost: boolean }
  | { type: "existing-peers"; peers: ({ id: string } & Rider)[] }
  | ({ type: "peer-joined"; peerId: string; isHost: boolean } & Rider)
  | { type: "peer-left"; peerId: string }
  | { type: "signal"; from: string; signal: unknown };

/**
 * A page with a client that joins by name and FTP and rides in a star: everybody is linked to the host, who calls those
 * that join and passes on what they say.
 */
export class StarPage {
  private constructor(
    readonly name: string,
    private readonly page: Page,
    private readonly club: JSHandle<Club>,
  ) {}

  static async enter(openClient: OpenClient, server: Server, code: string, rider: Rider): Promise<StarPage> {
    const page = await openClient("simple-peer", rider.name);
    const club = await page.evaluateHandle(enterClub, { address: `${server.origin.replace("http", "ws")}/signal/${code}`, rider });
    const entered = new StarPage(rider.name, page, club);
    await expect.poll(() => club.evaluate(({ id }) => id), `${rider.name} is told an id`).not.toBe("");
    return entered;
  }

  isHost(): Promise<boolean> {
    return this.club.evaluate(({ isHost }) => isHost);
  }

  knows(): Promise<string[]> {
    return this.club.evaluate(({ names }) => [...names.values()].sort());
  }

  async isLinkedTo(count: number): Promise<void> {
    const linked = () => this.club.evaluate(({ links }) => [...links.values()].filter((link) => link.connected).length);
    await expect.poll(linked, `${this.name} is linked`).toBe(count);
  }

  async says(words: string): Promise<void> {
    await this.club.evaluate(({ links }, words) => links.forEach((link) => link.send(words)), words);
  }

  heard(): Promise<string[]> {
    return this.club.evaluate(({ heard }) => heard);
  }

  async leaves(): Promise<void> {
    await this.page.context().close();
  }
}

/** Runs in the page. */
function enterClub({ address, rider }: { address: string; rider: Rider }): Club {
  const socket = new WebSocket(address);
  const club: Club = { id: "", isHost: false, links: new Map(), names: new Map(), heard: [], socket };
  const say = (message: object) => socket.send(JSON.stringify(message));

  const link = (peer: string, initiator: boolean): Link => {
    const known = club.links.get(peer);
    if (known) return known;
    const made = new window.SimplePeer({ initiator, config: { iceServers: [] } });
    club.links.set(peer, made);
    made.on("signal", (signal) => say({ type: "signal", target: peer, signal }));
    made.on("data", (data) => {
      const words = new TextDecoder().decode(data);
      club.heard.push(words);
      if (club.isHost) club.links.forEach((other) => other !== made && other.send(words));
    });
    made.on("error", () => club.links.delete(peer));
    return made;
  };

  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const heard = JSON.parse(data) as Heard;
    switch (heard.type) {
      case "id": {
        const isNew = club.id === "";
        [club.id, club.isHost] = [heard.id, heard.isHost];
        if (isNew) say({ type: "join", ...rider, isHost: heard.isHost });
        break;
      }
      case "existing-peers":
        for (const { id, name } of heard.peers) club.names.set(id, name);
        break;
      case "peer-joined":
        club.names.set(heard.peerId, heard.name);
        if (club.isHost) link(heard.peerId, true);
        break;
      case "peer-left":
        club.names.delete(heard.peerId);
        club.links.get(heard.peerId)?.destroy();
        club.links.delete(heard.peerId);
        break;
      case "signal":
        link(heard.from, false).signal(heard.signal);
    }
  };
  return club;
}
