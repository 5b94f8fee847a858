import { expect, type Locator, type Page } from "@playwright/test";

/** What only the host has: the dialog about the riders. */
export class Manager {
  readonly open: Locator;
  readonly dialog: Locator;
  readonly lock: Locator;

  constructor(private readonly page: Page) {
    this.open = page.getByRole("button", { name: "Manage riders" });
    this.dialog = page.getByRole("dialog", { name: "Manage riders" });
    this.lock = this.dialog.getByRole("checkbox", { name: "Lock the ride" });
  }

  async remove(rider: string, reason: string): Promise<void> {
    await this.open.click();
    await this.dialog.getByRole("button", { name: `Remove ${rider}` }).click();
    const question = this.page.getByRole("dialog", { name: `Remove ${rider}?` });
    await question.getByLabel("Reason").fill(reason);
    await question.getByRole("button", { name: "Remove" }).click();
    await expect(question).toBeHidden();
  }

  async handOver(rider: string): Promise<void> {
    await this.open.click();
    await this.dialog.getByRole("button", { name: `Hand over to ${rider}` }).click();
    const question = this.page.getByRole("dialog", { name: `Make ${rider} the host?` });
    await question.getByRole("button", { name: "Hand over" }).click();
    await expect(question).toBeHidden();
  }

  async setLock(locked: boolean): Promise<void> {
    await this.open.click();
    await this.lock.click();
    await expect(this.lock).toBeChecked({ checked: locked });
    await this.dialog.getByRole("button", { name: "Done" }).click();
  }

  async closeRide(): Promise<void> {
    await this.open.click();
    await this.dialog.getByRole("button", { name: "Close the ride for everyone" }).click();
    await this.page.getByRole("dialog").getByRole("button", { name: "Close the ride", exact: true }).click();
  }
}
