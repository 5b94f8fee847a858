import { expect, type Locator, type Page } from "@playwright/test";

/** Position in the picture of a workout: share of its duration, and power in percent of FTP. */
type Place = { share: number; percent: number };

/** How much more than the highest power the picture shows, and what it shows at least. */
const headroom = 1.06;
const minTop = 120;

/** The designer of workouts. */
export class DesignerPage {
  readonly blocks: Locator;
  readonly name: Locator;
  readonly duration: Locator;
  readonly picture: Locator;
  readonly share: Locator;

  constructor(readonly page: Page) {
    this.blocks = page.getByRole("list", { name: "Blocks of the workout" }).locator("> li");
    this.name = page.getByLabel("Name", { exact: true });
    this.duration = page.locator(".workout-duration");
    this.picture = page.locator(".designer-area");
    this.share = this.button("Share into the ride");
  }

  async open(...kinds: string[]): Promise<void> {
    await this.page.goto("/workouts/new");
    for (const kind of kinds) await this.button(kind).click();
    await expect(this.blocks).toHaveCount(kinds.length);
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  kinds(): Promise<string[]> {
    return this.blocks.locator("legend").allInnerTexts();
  }

  /** Position of a place in the window, in a picture whose highest power is this. */
  async at({ share, percent }: Place, highest: number): Promise<{ x: number; y: number }> {
    await this.picture.scrollIntoViewIfNeeded();
    const box = (await this.picture.boundingBox())!;
    const top = Math.max(highest, minTop) * headroom;
    return { x: box.x + box.width * share, y: box.y + box.height * (1 - percent / top) };
  }

  /** Middle of the grip of a block. */
  async grip(index: number): Promise<{ x: number; y: number }> {
    const grip = this.blocks.nth(index).locator(".designer-grip");
    await grip.scrollIntoViewIfNeeded();
    const box = (await grip.boundingBox())!;
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }
}
