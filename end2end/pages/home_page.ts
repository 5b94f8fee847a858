import type { Locator, Page } from "@playwright/test";
import { RiderForm } from "./rider_form.ts";

/** The home page. */
export class HomePage {
  readonly rider: RiderForm;
  readonly start: Locator;
  readonly code: Locator;
  readonly join: Locator;
  readonly solo: Locator;

  constructor(
    readonly page: Page,
    private readonly origin = "",
  ) {
    this.rider = new RiderForm(page);
    this.start = page.getByRole("button", { name: "Start a group ride" });
    this.code = page.getByRole("textbox", { name: "Session code" });
    this.join = page.getByRole("button", { name: "Join", exact: true });
    this.solo = page.getByRole("button", { name: "Try a simulated ride" });
  }

  async open(): Promise<void> {
    await this.page.goto(`${this.origin}/`);
  }
}
