import type { Frame, FrameLocator, Locator, Page } from "@playwright/test";
import { expect } from "../fixtures/test.ts";

/** A tab with a shared page. */
export class TunnelPage {
  readonly status: Locator;
  readonly shared: FrameLocator;
  readonly heading: Locator;

  constructor(readonly page: Page) {
    this.status = page.getByRole("status");
    this.shared = page.frameLocator("iframe[title='Shared page']");
    this.heading = this.shared.getByRole("heading");
  }

  /** Opens an address; waits until the shared page has this heading. */
  async open(address: string, heading: string): Promise<void> {
    await this.page.goto(address);
    await expect(this.heading).toHaveText(heading, { timeout: 20_000 });
  }

  async expectWay(way: "direct" | "relayed" | "offline"): Promise<void> {
    await expect(this.status).toHaveAttribute("data-way", way, { timeout: 20_000 });
  }

  /** The frame itself, to run scripts in the shared page. */
  async frame(): Promise<Frame> {
    const element = await this.page.locator("iframe[title='Shared page']").elementHandle();
    return (await element!.contentFrame())!;
  }

  /** Text of one of the details, such as "Latency". */
  async detail(name: string): Promise<string> {
    const details = this.page.getByRole("region", { name: "Connection details" });
    if (!(await details.isVisible())) await this.page.getByRole("button", { name: "Details" }).click();
    return (await details.locator("div", { has: this.page.getByText(name, { exact: true }) }).locator("dd").textContent())!;
  }

  /** Bytes that have taken a way. */
  async bytes(way: "directly" | "by the server"): Promise<number> {
    const [, number, unit] = /([\d.]+) (B|kB|MB)/.exec(await this.detail(`Sent and received ${way}`))!;
    return Number(number) * { B: 1, kB: 1e3, MB: 1e6 }[unit as "B" | "kB" | "MB"];
  }
}
