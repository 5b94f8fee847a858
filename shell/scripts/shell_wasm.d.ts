// Made by wasm-bindgen from shell/src, where the functions are documented.

export default function init(options: { module_or_path: string }): Promise<unknown>;
export function encodeText(text: string): Uint8Array;
export function encodeBinary(bytes: Uint8Array): Uint8Array;
export function encodeClose(code: number | undefined, reason: string): Uint8Array;

export function canRetry(method: string, hasResponse: boolean, hasWholeBody: boolean): boolean;

export class Ways {
  constructor(hasDirect: boolean);
  readonly way: "direct" | "relayed" | "offline";
  readonly latency: number | undefined;
  readonly counters: Float64Array;
  opened(now: number, isDirect: boolean): void;
  closed(now: number, isDirect: boolean): void;
  pong(now: number, isDirect: boolean, sent: number): void;
  received(now: number, isDirect: boolean, bytes: number): void;
  sent(now: number, isDirect: boolean, bytes: number): void;
  buffered(now: number, isDirect: boolean, bytes: number): void;
  requests(now: number, number: number): void;
  timeout(now: number): void;
  pollOutput(): any[] | undefined;
  pollTimeout(now: number): number | undefined;
}

export class MessageDecoder {
  push(bytes: Uint8Array): void;
  next(): any[] | undefined;
  free(): void;
}

export class Channel {
  constructor(token: string);
  open(isWebSocket: boolean, method: string, target: string, fields: string[], hasBody: boolean): number;
  write(stream: number, bytes: Uint8Array): number;
  finish(stream: number): void;
  cancel(stream: number): void;
  consumed(stream: number, bytes: number): void;
  ping(value: number): void;
  receive(message: Uint8Array): void;
  pollMessage(): Uint8Array | undefined;
  pollEvent(): any[] | undefined;
  free(): void;
}
