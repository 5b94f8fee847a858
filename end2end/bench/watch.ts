import type { Sight } from "./crowd.ts";

/** Bytes of a message that a page sent or got, in hexadecimal, and when, in wall clock milliseconds. */
export type Noted = [bytes: string, at: number];

declare global {
  interface Window {
    watch?: {
      /** When Join was tapped, in wall clock milliseconds. */
      joined: number;
      /** When the page's state went over to riding, in wall clock milliseconds: its screen is built after that. */
      began: number;
      /** What the list of riders has said, by peer id. */
      sights: Record<string, Sight>;
      /** Numbers that went over data channels. */
      sent: Noted[];
      received: Noted[];
      /** Resolves when the list says that all of these riders are linked directly and have told numbers. */
      met(peers: string[]): Promise<void>;
      /** Resolves when a rider is off the list. */
      gone(peer: string): Promise<void>;
    };
  }
}

/** Notes what a page of the app says about the others, and which numbers it sends and gets. Runs in the page. */
export function watchApp(): void {
  const now = () => performance.timeOrigin + performance.now();
  const sights: Record<string, Sight> = {};
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
  const watch: NonNullable<Window["watch"]> = {
    joined: NaN,
    began: NaN,
    sights,
    sent: [],
    received: [],
    met: (peers) => until(() => peers.every((peer) => sights[peer]?.numbers && sights[peer].direct)),
    gone: (peer) => until(() => !document.querySelector(`article[data-peer="${peer}"]`)),
  };
  window.watch = watch;

  document.addEventListener("click", ({ target }) => {
    const isJoin = target instanceof Element && target.closest("button")?.textContent?.trim() === "Join";
    if (isJoin) watch.joined = now();
  }, { capture: true });

  // An observer would be told only when the screen is there.
  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (this: Element, name, value) {
    if (name === "data-stage" && value === "riding") watch.began ||= now();
    setAttribute.call(this, name, value);
  };

  new MutationObserver(() => {
    for (const card of document.querySelectorAll("article[data-peer]:not([data-self])")) {
      const sight = (sights[card.getAttribute("data-peer")!] ??= {});
      if (!card.hasAttribute("data-stale")) sight.numbers ??= now();
      if (card.getAttribute("data-link") === "direct") sight.direct ??= now();
    }
    for (const look of [...waiting]) look();
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-link", "data-stale"] });

  // A frame on the telemetry channel begins with its kind; beats go there too.
  const [channelOfNumbers, kindOfNumbers] = [1, 1];
  const note = (list: Noted[], channel: RTCDataChannel, data: ArrayBuffer | ArrayBufferView) => {
    if (channel.id !== channelOfNumbers) return;
    const at = now();
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    if (bytes[0] !== kindOfNumbers) return;
    list.push([Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""), at]);
  };
  const send = RTCDataChannel.prototype.send as (data: unknown) => void;
  RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: unknown) {
    note(watch.sent, this, data as ArrayBuffer);
    send.call(this, data);
  };
  const { createDataChannel } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createDataChannel = function (this: RTCPeerConnection, ...how: Parameters<typeof createDataChannel>) {
    const channel = createDataChannel.apply(this, how);
    channel.addEventListener("message", ({ data }) => note(watch.received, channel, data));
    return channel;
  };
}
