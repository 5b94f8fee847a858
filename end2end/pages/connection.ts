import type { Locator, Page } from "@playwright/test";

/** The panel that tells how the others are reached. */
export class ConnectionPanel {
  readonly button: Locator;
  readonly dialog: Locator;

  constructor(page: Page) {
    this.button = page.getByRole("button", { name: "Connection", exact: true });
    this.dialog = page.getByRole("dialog").filter({ has: page.getByRole("heading", { name: "Connection", exact: true }) });
  }

  async open(): Promise<void> {
    await this.button.click();
  }

  async close(): Promise<void> {
    await this.dialog.getByRole("button", { name: "Close", exact: true }).click();
  }

  /** A fact about the link to one rider, or to the only other one. */
  link(fact: "link" | "round-trip" | "clock-error" | "age" | "candidate"): Locator {
    return this.dialog.locator(`tr[data-peer] [data-fact="${fact}"]`);
  }

  /** What adds up over all links. */
  total(fact: "attempts" | "successes" | "fallbacks" | "bytes-sent" | "bytes-received"): Locator {
    return this.dialog.locator(`dl [data-fact="${fact}"]`);
  }
}
