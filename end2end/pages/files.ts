import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, type Locator, type Page } from "@playwright/test";
import type { FilePayload } from "../fixtures/workouts.ts";
import { Chat } from "./chat.ts";

export type TransferState = "offered" | "running" | "paused" | "waiting" | "checking" | "complete" | "failed";

/** Files that riders send each other: the button, the dialog that asks to whom, and the transfers. */
export class Files {
  readonly send: Locator;
  readonly dialog: Locator;
  readonly region: Locator;
  readonly toggle: Locator;
  readonly transfers: Locator;

  constructor(readonly page: Page) {
    this.send = page.getByRole("button", { name: "Send file", exact: true });
    this.dialog = page.getByRole("dialog", { name: "Send to whom?" });
    this.region = page.getByRole("region", { name: "Files", exact: true });
    this.toggle = this.region.getByRole("button", { name: /^Files/ });
    this.transfers = this.region.locator("article[data-transfer]");
  }

  /** Chooses files, or those at these paths, with the button in the head of the chat, which is open afterwards. */
  async choose(...files: FilePayload[] | string[]): Promise<void> {
    await new Chat(this.page).open();
    const chooser = this.page.waitForEvent("filechooser");
    await this.send.click();
    await (await chooser).setFiles(files as string[]);
  }

  /** Offers files to all, or to one rider. */
  async offer(to: string, ...files: FilePayload[] | string[]): Promise<void> {
    await this.choose(...files);
    await this.dialog.getByRole("button", { name: to, exact: true }).click();
    await expect(this.dialog).toBeHidden();
  }

  /** The transfer of a file, to or from a rider. */
  transfer(file: string, peer = ""): Transfer {
    const named = this.region.getByRole("article", { name: file, exact: true });
    return new Transfer(peer ? named.filter({ hasText: peer }) : named);
  }
}

/** One transfer. */
export class Transfer {
  readonly bar: Locator;

  constructor(readonly article: Locator) {
    this.bar = article.getByRole("progressbar");
  }

  button(name: string): Locator {
    return this.article.getByRole("button", { name, exact: true });
  }

  async expectState(state: TransferState, timeout?: number): Promise<void> {
    await expect(this.article).toHaveAttribute("data-state", state, { timeout });
  }

  /** Percent that have arrived. */
  async percent(): Promise<number> {
    return Number(await this.bar.getAttribute("aria-valuenow"));
  }

  /** Waits until at least this share in percent has arrived. */
  async expectPercent(least: number, timeout?: number): Promise<void> {
    await expect.poll(() => this.percent(), { timeout }).toBeGreaterThanOrEqual(least);
  }

  /** Saves the file: its name and its SHA-256. */
  async save(): Promise<{ name: string; sha256: string; size: number }> {
    const download = this.article.page().waitForEvent("download");
    await this.button("Save").click();
    const saved = await download;
    const bytes = await readFile(await saved.path());
    return { name: saved.suggestedFilename(), sha256: sha256(bytes), size: bytes.length };
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
