import { expect, type Locator } from "@playwright/test";

/** Name of a number on the screen: its `data-metric` attribute. */
export type Metric = "power" | "cadence" | "heart-rate" | "target" | "progress" | "elapsed" | "remaining" | "interval-remaining" | "bias" | "load";

/** The card of a rider in the list of riders. */
export class RiderCard {
  constructor(readonly article: Locator) {}

  metric(metric: Metric): Locator {
    return this.article.locator(`[data-metric="${metric}"]`);
  }

  async peer(): Promise<string> {
    return (await this.article.getAttribute("data-peer")) ?? "";
  }

  /** Number of points in the rider's trace. */
  async tracePoints(): Promise<number> {
    return Number(await this.article.locator("[data-trace]").getAttribute("data-trace"));
  }

  async expectLink(state: "self" | "connecting" | "relayed" | "direct" | "away", timeout?: number): Promise<void> {
    await expect(this.article).toHaveAttribute("data-link", state, { timeout });
  }

  async expectRole(role: "host" | "rider", timeout?: number): Promise<void> {
    await expect(this.article).toHaveAttribute("data-role", role, { timeout });
  }
}

/** Waits until a number is shown and changes. */
export async function expectToChange(metric: Locator, timeout?: number): Promise<void> {
  await expect(metric).toHaveText(/^\d/);
  const before = await metric.innerText();
  await expect(metric).not.toHaveText(before, { timeout });
  await expect(metric).toHaveText(/^\d/);
}
