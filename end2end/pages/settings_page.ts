import { expect, type Locator, type Page } from "@playwright/test";

/** The page of a rider's settings. */
export class SettingsPage {
  readonly intervalsIcu: Locator;
  readonly key: Locator;
  readonly save: Locator;
  readonly remove: Locator;
  readonly heartRate: Locator;

  constructor(private readonly page: Page) {
    this.intervalsIcu = page.getByRole("region", { name: "intervals.icu" });
    this.key = page.getByLabel("API key", { exact: true });
    this.save = page.getByRole("button", { name: "Save key" });
    this.remove = page.getByRole("button", { name: "Remove key" });
    this.heartRate = page.getByLabel("Threshold heart rate");
  }

  async open(): Promise<void> {
    await this.page.goto("/settings");
    await expect(this.page.getByRole("heading", { name: "Settings", exact: true })).toBeVisible();
  }

  async saveKey(key: string): Promise<void> {
    await this.open();
    await this.key.fill(key);
    await this.save.click();
  }
}
