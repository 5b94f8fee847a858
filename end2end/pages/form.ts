import { expect, type Locator, type Page } from "@playwright/test";

/** The two fields of a rider, on the first page and behind an invitation. */
export class RiderForm {
  readonly name: Locator;
  readonly ftp: Locator;

  constructor(page: Page) {
    this.name = page.getByRole("textbox", { name: "Your name" });
    this.ftp = page.getByRole("spinbutton", { name: "FTP" });
  }

  async fill(name: string, ftp: number | string): Promise<void> {
    await this.name.fill(name);
    await this.ftp.fill(`${ftp}`);
  }
}

/** A refusal is a sentence, announced, and said to be about its field. */
export async function expectFault(page: Page, field: Locator, sentence: RegExp): Promise<void> {
  const alert = page.getByRole("alert").filter({ hasText: sentence });
  await expect(alert).toBeVisible();
  await expect(alert).toHaveText(/^\p{Lu}.*\.$/u);
  await expect(field).toHaveAccessibleDescription(sentence);
}
