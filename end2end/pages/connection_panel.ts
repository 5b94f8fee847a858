import type { Locator, Page } from "@playwright/test";

/** Name of a value in the panel: its `data-fact` attribute. */
export type PanelValue =
  | "link"
  | "round-trip"
  | "clock-error"
  | "age"
  | "candidate"
  | "attempts"
  | "successes"
  | "connect-time"
  | "fallbacks"
  | "bytes-sent"
  | "bytes-received"
  | "ignored"
  | "direct-round-trip"
  | "relayed-round-trip";

/** The dialog "Connection". */
export class ConnectionPanel {
  readonly dialog: Locator;
  readonly directLinks: Locator;

  constructor(private readonly page: Page) {
    this.dialog = page.getByRole("dialog", { name: "Connection" });
    this.directLinks = this.dialog.locator(`[data-fact="direct-links"]`);
  }

  async open(): Promise<void> {
    await this.page.getByRole("button", { name: "Connection", exact: true }).click();
  }

  async close(): Promise<void> {
    await this.dialog.getByRole("button", { name: "Close" }).click();
  }

  /** A value of the link to one rider. */
  linkValue(rider: string, value: PanelValue): Locator {
    const row = this.dialog.getByRole("row").filter({ has: this.page.getByRole("rowheader", { name: rider }) });
    return row.locator(`[data-fact="${value}"]`);
  }

  /** Number of attempts over a type of candidate: all that ended, or of one kind. */
  attempts(candidate: string, kind: "ended" | "became-direct" | "failed"): Locator {
    return this.dialog.locator(`tr[data-candidate="${candidate}"] [data-fact="${kind}"]`);
  }

  /** A value of all links together. */
  total(value: PanelValue): Locator {
    return this.dialog.locator(`dd[data-fact="${value}"]`);
  }
}
