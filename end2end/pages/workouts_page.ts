import { expect, type Download, type Locator, type Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import type { FilePayload } from "../fixtures/workouts.ts";

/** The page of a rider's workouts. */
export class WorkoutsPage {
  readonly files: Locator;
  readonly results: Locator;
  readonly list: Locator;
  readonly kind: Locator;
  readonly undo: Locator;

  constructor(private readonly page: Page) {
    this.files = page.getByLabel("Import files");
    this.results = page.getByRole("list", { name: "Imported files" }).locator("> li");
    this.list = page.getByRole("list", { name: "Workouts" }).locator("> li");
    this.kind = page.getByLabel("Kind");
    this.undo = page.getByRole("button", { name: "Undo" });
  }

  async open(): Promise<void> {
    await this.page.goto("/workouts");
    await expect(this.page.getByRole("heading", { name: "Workouts", exact: true })).toBeVisible();
  }

  async import(...files: FilePayload[]): Promise<void> {
    await this.files.setInputFiles(files);
    await expect(this.results).toHaveCount(files.length);
  }

  card(name: string): Locator {
    return this.list.filter({ has: this.page.getByRole("heading", { name, exact: true }) });
  }

  /** Names of the own workouts that are shown. */
  async own(): Promise<string[]> {
    const own = this.list.filter({ has: this.page.getByRole("button", { name: /^Delete/ }) });
    return own.getByRole("heading").allInnerTexts();
  }

  /** Content of the file that a click downloads. */
  async download(click: () => Promise<void>): Promise<{ name: string; content: string }> {
    const [download] = await Promise.all([this.page.waitForEvent("download"), click()] as [Promise<Download>, Promise<void>]);
    return { name: download.suggestedFilename(), content: await readFile(await download.path(), "utf8") };
  }
}
