import type { Locator, Page } from "@playwright/test";
import { RiderForm } from "./form.ts";

/** The first page. */
export class Home {
  readonly rider: RiderForm;
  readonly start: Locator;
  readonly code: Locator;
  readonly join: Locator;
  readonly alone: Locator;

  constructor(
    readonly page: Page,
    private readonly origin = "",
  ) {
    this.rider = new RiderForm(page);
    this.start = page.getByRole("button", { name: "Start a group ride" });
    this.code = page.getByRole("textbox", { name: "Session code" });
    this.join = page.getByRole("button", { name: "Join", exact: true });
    this.alone = page.getByRole("button", { name: "Try a simulated ride" });
  }

  async open(): Promise<void> {
    await this.page.goto(`${this.origin}/`);
  }
}
