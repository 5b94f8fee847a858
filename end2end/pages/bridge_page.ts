import { expect, type BrowserContext, type Locator, type Page } from "@playwright/test";

/** The page of a phone that connects devices for a rider. */
export class BridgePage {
  readonly load: Locator;

  constructor(readonly page: Page) {
    this.load = page.locator("[data-load]");
  }

  /** The link in the dialog of a rider's page. */
  static async linkOf(page: Page): Promise<string> {
    await page.getByRole("button", { name: "Use a phone", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "A phone for Bluetooth" });
    await expect(dialog.getByRole("img", { name: "QR code for a phone" })).toBeVisible();
    const link = await dialog.getByText("/bridge#").innerText();
    await dialog.getByRole("button", { name: "Close" }).click();
    return link;
  }

  /** Opens the link that a rider's page shows, on a phone. */
  static async open(context: BrowserContext, link: string): Promise<BridgePage> {
    const bridge = new BridgePage(await context.newPage());
    await bridge.page.goto(link);
    return bridge;
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { level: 1, name });
  }

  async pair(...names: string[]): Promise<void> {
    for (const name of names) await this.page.getByRole("button", { name: `Pair ${name}`, exact: true }).click();
  }

  async expectConnected(): Promise<void> {
    await expect(this.page.getByText("Connected with the page of the ride.")).toBeVisible();
  }
}
