import type { Sight } from "./crowd.ts";

// What runs in the pages of the plain meshes. Each function is sent over as text: it must not use anything from outside itself.

/** What riders of a plain mesh tell each other, as an app without machinery of its own would. */
type Word =
  | { type: "numbers"; at: number; power: number; cadence: number; heartRate: number; target: number; elapsed: number }
  | { type: "start"; in: number }
  | { type: "riders"; ids: string[] };

/** One page of a plain mesh. */
export type Plain = {
  id: string;
  joined: number;
  began: number;
  ages: number[];
  sights: Record<string, Sight>;
  /** To those who are linked. */
  links: Map<string, (word: Word) => void>;
  join(): void;
  leave(): void;
  /** Tells all to start together. */
  start(): void;
  ready(): Promise<string>;
  met(peers: string[]): Promise<void>;
  gone(peer: string): Promise<void>;
};

/** What the library's half of a page reports. */
type Desk = {
  opened(peer: string, send: (word: Word) => void): void;
  heard(peer: string, word: Word): void;
  closed(peer: string): void;
};

declare global {
  interface Window {
    plain?: Plain;
    /** Set by the half of the page that knows the library. */
    linkUp?: (desk: Desk) => { join(): void; leave(): void };
    setId?: (id: string) => void;
  }
}

/** The half of the page that is the same with every library. */
export function ridePlainly(): void {
  const now = () => performance.timeOrigin + performance.now();
  /** As often as the app. */
  const every = 500;
  /** Between the host's word and the start. */
  const countdown = 3_000;
  const waiting = new Set<() => void>();
  const until = (so: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!so()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const changed = () => [...waiting].forEach((look) => look());
  const numbers = (): Word => ({ type: "numbers", at: now(), power: 214, cadence: 90, heartRate: 141, target: 210, elapsed: now() - plain.began });
  const begin = () => {
    plain.began = now();
    document.body.append(Object.assign(document.createElement("main"), { textContent: "Riding" }));
  };

  const library = window.linkUp!({
    opened(peer, send) {
      plain.links.set(peer, send);
      (plain.sights[peer] ??= {}).direct ??= now();
      send(numbers());
      changed();
    },
    heard(peer, word) {
      if (word.type === "numbers") {
        plain.ages.push(now() - word.at);
        (plain.sights[peer] ??= {}).numbers ??= now();
      } else if (word.type === "start") {
        setTimeout(begin, word.in);
      }
      changed();
    },
    closed(peer) {
      plain.links.delete(peer);
      changed();
    },
  });
  const plain: Plain = {
    id: "",
    joined: NaN,
    began: NaN,
    ages: [],
    sights: {},
    links: new Map(),
    join() {
      plain.joined = now();
      library.join();
    },
    leave: () => library.leave(),
    start() {
      for (const send of plain.links.values()) send({ type: "start", in: countdown });
      setTimeout(begin, countdown);
    },
    ready: () => until(() => plain.id !== "").then(() => plain.id),
    met: (peers) => until(() => peers.every((peer) => plain.sights[peer]?.numbers && plain.sights[peer].direct)),
    gone: (peer) => until(() => !plain.links.has(peer)),
  };
  window.plain = plain;
  window.setId = (id) => {
    plain.id = id;
    changed();
  };
  setInterval(() => plain.links.forEach((send) => send(numbers())), every);
}

/** PeerJS: the newcomer calls the host, is told who else is there, and calls them. */
export function linkByPeerJs({ host, port, token, id, first }: { host: string; port: number; token: string; id: string; first: string }): void {
  window.linkUp = (desk) => {
    let peer: import("peerjs").Peer | undefined;
    const known = new Set<string>();
    const hold = (connection: import("peerjs").DataConnection) => {
      const other = connection.peer;
      connection.on("open", () => {
        desk.opened(other, (word) => void connection.send(word));
        if (id === first) void connection.send({ type: "riders", ids: [...known] } satisfies Word);
        known.add(other);
      });
      connection.on("data", (data) => {
        const word = data as Word;
        if (word.type === "riders") word.ids.forEach((rider) => hold(peer!.connect(rider)));
        else desk.heard(other, word);
      });
      connection.on("close", () => {
        known.delete(other);
        desk.closed(other);
      });
    };
    return {
      join() {
        peer = new window.peerjs.Peer(id, { host, port, path: "/peerjs", token, config: { iceServers: [] } });
        peer.on("connection", hold);
        peer.on("open", () => {
          window.setId!(id);
          if (id !== first) hold(peer!.connect(first));
        });
      },
      leave: () => peer?.destroy(),
    };
  };
}

/** simple-peer: the newcomer is told by the server who is there, and calls them all. */
export function linkBySimplePeer({ address, name }: { address: string; name: string }): void {
  type Heard =
    | { type: "id"; id: string; isHost: boolean }
    | { type: "existing-peers"; peers: { id: string }[] }
    | { type: "peer-left"; peerId: string }
    | { type: "signal"; from: string; signal: unknown }
    | { type: "peer-joined" };
  type Link = InstanceType<Window["SimplePeer"]> & { on(event: "connect" | "close", listener: () => void): void };
  window.linkUp = (desk) => {
    const links = new Map<string, Link>();
    let socket: WebSocket | undefined;
    const say = (message: object) => socket!.send(JSON.stringify(message));
    const link = (peer: string, initiator: boolean): Link => {
      const known = links.get(peer);
      if (known) return known;
      const made = new window.SimplePeer({ initiator, config: { iceServers: [] } }) as Link;
      links.set(peer, made);
      made.on("signal", (signal) => say({ type: "signal", target: peer, signal }));
      made.on("connect", () => desk.opened(peer, (word) => made.send(JSON.stringify(word))));
      made.on("data", (data) => desk.heard(peer, JSON.parse(new TextDecoder().decode(data)) as Word));
      const drop = () => {
        links.delete(peer);
        desk.closed(peer);
      };
      made.on("close", drop);
      made.on("error", drop);
      return made;
    };
    return {
      join() {
        socket = new WebSocket(address);
        socket.onmessage = ({ data }: MessageEvent<string>) => {
          const heard = JSON.parse(data) as Heard;
          if (heard.type === "id") {
            window.setId!(heard.id);
            say({ type: "join", name, ftp: 200, isHost: heard.isHost });
          } else if (heard.type === "existing-peers") {
            heard.peers.forEach(({ id }) => link(id, true));
          } else if (heard.type === "peer-left") {
            links.get(heard.peerId)?.destroy();
          } else if (heard.type === "signal") {
            link(heard.from, false).signal(heard.signal);
          }
        };
      },
      leave() {
        links.forEach((one) => one.destroy());
        socket?.close();
      },
    };
  };
}
