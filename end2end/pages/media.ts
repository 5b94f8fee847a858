import { expect, type Locator, type Page } from "@playwright/test";

/** Button of a device. */
export type DeviceButton = "Microphone" | "Camera" | "Share screen";

/** Voice, cameras and screen sharing: the buttons, their dialogs, and what they add to the cards of the riders. */
export class Media {
  readonly microphone: Locator;
  readonly camera: Locator;
  readonly screen: Locator;
  readonly dialog: Locator;
  readonly goLiveButton: Locator;
  readonly level: Locator;
  readonly preview: Locator;
  readonly problem: Locator;
  readonly notes: Locator;
  readonly sharedScreen: Locator;
  readonly muteEveryone: Locator;
  readonly settings: Locator;

  constructor(private readonly page: Page) {
    this.microphone = this.button("Microphone");
    this.camera = this.button("Camera");
    this.screen = this.button("Share screen");
    this.goLiveButton = page.getByRole("button", { name: "Go live", exact: true });
    this.dialog = page.getByRole("dialog").filter({ has: this.goLiveButton });
    this.level = this.dialog.getByRole("meter", { name: "Level" });
    this.preview = this.dialog.locator('video[data-media="preview"]');
    this.problem = this.dialog.getByRole("alert");
    this.notes = page.getByRole("status", { name: "Voice and cameras" });
    this.sharedScreen = page.getByRole("region", { name: "Shared screen" });
    this.muteEveryone = page.getByRole("button", { name: "Mute for everyone", exact: true });
    this.settings = page.getByRole("dialog", { name: "Voice and camera" });
  }

  button(name: DeviceButton): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  /** Opens the dialog of a device and goes live. */
  async goLive(...names: DeviceButton[]): Promise<void> {
    for (const name of names) {
      await this.button(name).click();
      await expect(this.goLiveButton).toBeEnabled();
      await this.goLiveButton.click();
      await this.expectState(name, "live");
    }
  }

  async expectState(name: DeviceButton, state: "off" | "live" | "muted" | "blocked"): Promise<void> {
    await expect(this.button(name)).toHaveAttribute("data-state", state);
  }

  /** Opens the dialog in which live devices are changed. */
  async openSettings(): Promise<void> {
    await this.page.getByRole("button", { name: "Voice and camera", exact: true }).click();
    await expect(this.settings).toBeVisible();
  }

  /** Camera on the card of a rider. */
  cameraOf(card: Locator): Locator {
    return card.locator('video[data-media="camera"]');
  }

  /** State of the microphone on the card of a rider. */
  async expectVoice(card: Locator, state: RegExp): Promise<void> {
    await expect(card.locator("[data-voice]")).toHaveAttribute("data-voice", state);
  }

  /** Opens the slider for the volume of a rider. */
  async volumeOf(name: string): Promise<Locator> {
    const sound = this.page.getByRole("button", { name: `Sound of ${name}`, exact: true });
    if ((await sound.getAttribute("aria-expanded")) !== "true") await sound.click();
    return this.page.getByRole("slider", { name: `Volume of ${name}`, exact: true });
  }
}
