import { expect, type Locator, type Page } from "@playwright/test";

/** The form for name and FTP, on the home page and on the page of an invitation. */
export class RiderForm {
  readonly name: Locator;
  readonly ftp: Locator;

  constructor(page: Page) {
    this.name = page.getByRole("textbox", { name: "Your name" });
    this.ftp = page.getByRole("spinbutton", { name: "FTP" });
  }

  async fill(name: string, ftp: number | string): Promise<void> {
    await this.name.fill(name);
    // Firefox, driven with WebDriver BiDi, appends to a number.
    await this.ftp.clear();
    await this.ftp.fill(`${ftp}`);
  }
}

/** Expects an error message that is announced, is a whole sentence, and describes its field. */
export async function expectFieldError(page: Page, field: Locator, message: RegExp): Promise<void> {
  const alert = page.getByRole("alert").filter({ hasText: message });
  await expect(alert).toBeVisible();
  await expect(alert).toHaveText(/^\p{Lu}.*\.$/u);
  await expect(field).toHaveAccessibleDescription(message);
}
