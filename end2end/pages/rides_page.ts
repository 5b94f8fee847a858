import { expect, type Download, type Locator, type Page } from "@playwright/test";
import type { FilePayload } from "../fixtures/workouts.ts";

/** The list of the rider's rides, and the page of one ride. */
export class RidesPage {
  readonly entries: Locator;
  readonly unfinished: Locator;
  readonly exportAll: Locator;
  readonly importAll: Locator;
  readonly deleteEverything: Locator;
  readonly confirm: Locator;
  readonly plot: Locator;

  constructor(readonly page: Page) {
    this.entries = page.locator("[data-ride]");
    this.unfinished = page.locator("[data-unfinished]");
    this.exportAll = page.getByRole("button", { name: "Export all" });
    this.importAll = page.getByLabel("Import all");
    this.deleteEverything = page.getByRole("button", { name: "Delete everything" });
    this.confirm = page.getByRole("dialog");
    this.plot = page.getByRole("figure", { name: "Power, heart rate and cadence" });
  }

  async open(): Promise<void> {
    await this.page.goto("/rides");
    await expect(this.page.getByRole("heading", { name: "Your rides" })).toBeVisible();
  }

  async import(file: FilePayload): Promise<void> {
    await this.importAll.setInputFiles(file);
  }

  /** Value of a figure of the ride, without its unit. */
  figure(metric: string): Locator {
    return this.page.locator(`.figure[data-metric="${metric}"] .number`);
  }

  /** Cell of an interval, counted from 0. */
  interval(row: number, metric: string): Locator {
    return this.page.locator(`[data-interval="${row}"] [data-metric="${metric}"]`);
  }

  /** Part of the ride that the traces show, in seconds. */
  async shown(): Promise<[number, number]> {
    return [Number(await this.plot.getAttribute("data-from")), Number(await this.plot.getAttribute("data-to"))];
  }

  async download(name: string): Promise<Download> {
    const download = this.page.waitForEvent("download");
    await this.page.getByRole("button", { name }).click();
    return download;
  }
}
