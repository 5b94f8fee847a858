// Made by wasm-bindgen from shell/src, where the functions are documented.

export default function init(options: { module_or_path: string }): Promise<unknown>;
export function encodeText(text: string): Uint8Array;
export function encodeBinary(bytes: Uint8Array): Uint8Array;
export function encodeClose(code: number | undefined, reason: string): Uint8Array;

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
