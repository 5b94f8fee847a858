import type { Locator, Page } from "@playwright/test";

/** A figure of the connection panel. */
export type Fact =
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
  | "ignored";

/** The connection panel. */
export class Panel {
  readonly dialog: Locator;

  constructor(private readonly page: Page) {
    this.dialog = page.getByRole("dialog", { name: "Connection" });
  }

  async open(): Promise<void> {
    await this.page.getByRole("button", { name: "Connection", exact: true }).click();
  }

  async close(): Promise<void> {
    await this.dialog.getByRole("button", { name: "Close" }).click();
  }

  /** A figure of one rider's link. */
  of(rider: string, fact: Fact): Locator {
    const row = this.dialog.getByRole("row").filter({ has: this.page.getByRole("rowheader", { name: rider }) });
    return row.locator(`[data-fact="${fact}"]`);
  }

  /** A figure of all links together. */
  total(fact: Fact): Locator {
    return this.dialog.locator(`dd[data-fact="${fact}"]`);
  }
}
