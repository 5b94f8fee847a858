import { expect, type Locator, type Page } from "@playwright/test";

/** The host's dialog "Manage riders". */
export class ManageRidersDialog {
  readonly open: Locator;
  readonly dialog: Locator;
  readonly lock: Locator;

  constructor(private readonly page: Page) {
    this.open = page.getByRole("button", { name: "Manage riders" });
    this.dialog = page.getByRole("dialog", { name: "Manage riders" });
    this.lock = this.dialog.getByRole("checkbox", { name: "Lock the ride" });
  }

  async kick(rider: string, reason: string): Promise<void> {
    await this.open.click();
    await this.dialog.getByRole("button", { name: `Remove ${rider}` }).click();
    const confirmation = this.page.getByRole("dialog", { name: `Remove ${rider}?` });
    await confirmation.getByLabel("Reason").fill(reason);
    await confirmation.getByRole("button", { name: "Remove" }).click();
    await expect(confirmation).toBeHidden();
  }

  async handOver(rider: string): Promise<void> {
    await this.open.click();
    await this.dialog.getByRole("button", { name: `Hand over to ${rider}` }).click();
    const confirmation = this.page.getByRole("dialog", { name: `Make ${rider} the host?` });
    await confirmation.getByRole("button", { name: "Hand over" }).click();
    await expect(confirmation).toBeHidden();
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
