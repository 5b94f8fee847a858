import type { FirstContact } from "./measured_mesh.ts";

/** A message that a page sent or received: its bytes in hexadecimal, and the time in wall clock milliseconds. */
export type MessageTime = [bytes: string, at: number];

declare global {
  interface Window {
    probe?: {
      /** When the button Join was clicked, in wall clock milliseconds. */
      joined: number;
      /** When the state of the page changed to riding, in wall clock milliseconds. The screen is rendered after that. */
      began: number;
      /** First contacts according to the list of riders, by peer id. */
      firstContacts: Record<string, FirstContact>;
      /** Messages with numbers on data channels. */
      sent: MessageTime[];
      received: MessageTime[];
      /** Resolves when the list shows direct links to all of these riders and has had numbers of them. */
      waitForLinks(peers: string[]): Promise<void>;
      /** Resolves when a rider is removed from the list. */
      waitForLeave(peer: string): Promise<void>;
    };
  }
}

/** Records first contacts of a page of the app, and the numbers that it sends and receives. Runs in the page. */
export function probeApp(): void {
  const now = () => performance.timeOrigin + performance.now();
  const firstContacts: Record<string, FirstContact> = {};
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
  const probe: NonNullable<Window["probe"]> = {
    joined: NaN,
    began: NaN,
    firstContacts,
    sent: [],
    received: [],
    waitForLinks: (peers) => until(() => peers.every((peer) => firstContacts[peer]?.numbers && firstContacts[peer].direct)),
    waitForLeave: (peer) => until(() => !document.querySelector(`article[data-peer="${peer}"]`)),
  };
  window.probe = probe;

  document.addEventListener("click", ({ target }) => {
    const isJoin = target instanceof Element && target.closest("button")?.textContent?.trim() === "Join";
    if (isJoin) probe.joined = now();
  }, { capture: true });

  // A MutationObserver would be called only after the screen has been rendered.
  const { setAttribute } = Element.prototype;
  Element.prototype.setAttribute = function (this: Element, name, value) {
    if (name === "data-stage" && value === "riding") probe.began ||= now();
    setAttribute.call(this, name, value);
  };

  new MutationObserver(() => {
    for (const card of document.querySelectorAll("article[data-peer]:not([data-self])")) {
      const contact = (firstContacts[card.getAttribute("data-peer")!] ??= {});
      if (!card.hasAttribute("data-stale")) contact.numbers ??= now();
      if (card.getAttribute("data-link") === "direct") contact.direct ??= now();
    }
    for (const check of [...waiting]) check();
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-link", "data-stale"] });

  // A frame on the telemetry channel starts with its kind; heartbeats use the same channel.
  const [telemetryChannel, telemetryKind] = [1, 1];
  const record = (list: MessageTime[], channel: RTCDataChannel, data: ArrayBuffer | ArrayBufferView) => {
    if (channel.id !== telemetryChannel) return;
    const at = now();
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
    if (bytes[0] !== telemetryKind) return;
    list.push([Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""), at]);
  };
  const send = RTCDataChannel.prototype.send as (data: unknown) => void;
  RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: unknown) {
    record(probe.sent, this, data as ArrayBuffer);
    send.call(this, data);
  };
  const { createDataChannel } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createDataChannel = function (this: RTCPeerConnection, ...how: Parameters<typeof createDataChannel>) {
    const channel = createDataChannel.apply(this, how);
    channel.addEventListener("message", ({ data }) => record(probe.received, channel, data));
    return channel;
  };
}
