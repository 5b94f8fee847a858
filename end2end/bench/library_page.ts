import type { FirstContact } from "./measured_mesh.ts";

// Functions that run in the pages of library meshes. Playwright sends their source text, so they must not use anything
// from outside themselves.

/** Messages between the riders of a library mesh, like those of an app without a protocol of its own. */
type PeerMessage =
  | { type: "numbers"; at: number; power: number; cadence: number; heartRate: number; target: number; elapsed: number }
  | { type: "start"; in: number }
  | { type: "riders"; ids: string[] };

/** State and controls of a page of a library mesh. */
export type LibraryPage = {
  id: string;
  joined: number;
  began: number;
  ages: number[];
  firstContacts: Record<string, FirstContact>;
  /** Functions that send to the linked peers. */
  links: Map<string, (message: PeerMessage) => void>;
  join(): void;
  leave(): void;
  /** Tells all peers to start after the countdown. */
  start(): void;
  ready(): Promise<string>;
  waitForLinks(peers: string[]): Promise<void>;
  waitForLeave(peer: string): Promise<void>;
};

/** Events that the library-specific part of a page reports. */
type LinkEvents = {
  opened(peer: string, send: (message: PeerMessage) => void): void;
  received(peer: string, message: PeerMessage): void;
  closed(peer: string): void;
};

declare global {
  interface Window {
    libraryPage?: LibraryPage;
    /** Set by the library-specific part of the page. */
    linkUp?: (events: LinkEvents) => { join(): void; leave(): void };
    setId?: (id: string) => void;
  }
}

/** The part of the page that is the same for all libraries. */
export function rideInPage(): void {
  const now = () => performance.timeOrigin + performance.now();
  /** Interval of the numbers in milliseconds, as in the app. */
  const interval = 500;
  /** Milliseconds from the message "start" to the start. */
  const countdown = 3_000;
  const waiting = new Set<() => void>();
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  const changed = () => [...waiting].forEach((check) => check());
  const numbers = (): PeerMessage => ({ type: "numbers", at: now(), power: 214, cadence: 90, heartRate: 141, target: 210, elapsed: now() - page.began });
  const begin = () => {
    page.began = now();
    document.body.append(Object.assign(document.createElement("main"), { textContent: "Riding" }));
  };

  const library = window.linkUp!({
    opened(peer, send) {
      page.links.set(peer, send);
      (page.firstContacts[peer] ??= {}).direct ??= now();
      send(numbers());
      changed();
    },
    received(peer, message) {
      if (message.type === "numbers") {
        page.ages.push(now() - message.at);
        (page.firstContacts[peer] ??= {}).numbers ??= now();
      } else if (message.type === "start") {
        setTimeout(begin, message.in);
      }
      changed();
    },
    closed(peer) {
      page.links.delete(peer);
      changed();
    },
  });
  const page: LibraryPage = {
    id: "",
    joined: NaN,
    began: NaN,
    ages: [],
    firstContacts: {},
    links: new Map(),
    join() {
      page.joined = now();
      library.join();
    },
    leave: () => library.leave(),
    start() {
      for (const send of page.links.values()) send({ type: "start", in: countdown });
      setTimeout(begin, countdown);
    },
    ready: () => until(() => page.id !== "").then(() => page.id),
    waitForLinks: (peers) => until(() => peers.every((peer) => page.firstContacts[peer]?.numbers && page.firstContacts[peer].direct)),
    waitForLeave: (peer) => until(() => !page.links.has(peer)),
  };
  window.libraryPage = page;
  window.setId = (id) => {
    page.id = id;
    changed();
  };
  setInterval(() => page.links.forEach((send) => send(numbers())), interval);
}

/** PeerJS: a newcomer connects to the first rider, receives the ids of the others, and connects to them. */
export function linkByPeerJs({ host, port, token, id, first }: { host: string; port: number; token: string; id: string; first: string }): void {
  window.linkUp = (events) => {
    let peer: import("peerjs").Peer | undefined;
    const known = new Set<string>();
    const add = (connection: import("peerjs").DataConnection) => {
      const other = connection.peer;
      connection.on("open", () => {
        events.opened(other, (message) => void connection.send(message));
        if (id === first) void connection.send({ type: "riders", ids: [...known] } satisfies PeerMessage);
        known.add(other);
      });
      connection.on("data", (data) => {
        const message = data as PeerMessage;
        if (message.type === "riders") message.ids.forEach((rider) => add(peer!.connect(rider)));
        else events.received(other, message);
      });
      connection.on("close", () => {
        known.delete(other);
        events.closed(other);
      });
    };
    return {
      join() {
        peer = new window.peerjs.Peer(id, { host, port, path: "/peerjs", token, config: { iceServers: [] } });
        peer.on("connection", add);
        peer.on("open", () => {
          window.setId!(id);
          if (id !== first) add(peer!.connect(first));
        });
      },
      leave: () => peer?.destroy(),
    };
  };
}

/** simple-peer: a newcomer receives the ids of the others from the server, and connects to them. */
export function linkBySimplePeer({ address, name }: { address: string; name: string }): void {
  type ServerMessage =
    | { type: "id"; id: string; isHost: boolean }
    | { type: "existing-peers"; peers: { id: string }[] }
    | { type: "peer-left"; peerId: string }
    | { type: "signal"; from: string; signal: unknown }
    | { type: "peer-joined" };
  type Link = InstanceType<Window["SimplePeer"]> & { on(event: "connect" | "close", listener: () => void): void };
  window.linkUp = (events) => {
    const links = new Map<string, Link>();
    let socket: WebSocket | undefined;
    const tell = (message: object) => socket!.send(JSON.stringify(message));
    const link = (peer: string, initiator: boolean): Link => {
      const known = links.get(peer);
      if (known) return known;
      const created = new window.SimplePeer({ initiator, config: { iceServers: [] } }) as Link;
      links.set(peer, created);
      created.on("signal", (signal) => tell({ type: "signal", target: peer, signal }));
      created.on("connect", () => events.opened(peer, (message) => created.send(JSON.stringify(message))));
      created.on("data", (data) => events.received(peer, JSON.parse(new TextDecoder().decode(data)) as PeerMessage));
      const drop = () => {
        links.delete(peer);
        events.closed(peer);
      };
      created.on("close", drop);
      created.on("error", drop);
      return created;
    };
    return {
      join() {
        socket = new WebSocket(address);
        socket.onmessage = ({ data }: MessageEvent<string>) => {
          const message = JSON.parse(data) as ServerMessage;
          if (message.type === "id") {
            window.setId!(message.id);
            tell({ type: "join", name, ftp: 200, isHost: message.isHost });
          } else if (message.type === "existing-peers") {
            message.peers.forEach(({ id }) => link(id, true));
          } else if (message.type === "peer-left") {
            links.get(message.peerId)?.destroy();
          } else if (message.type === "signal") {
            link(message.from, false).signal(message.signal);
          }
        };
      },
      leave() {
        links.forEach((link) => link.destroy());
        socket?.close();
      },
    };
  };
}
