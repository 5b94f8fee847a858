import { expect, type Locator, type Page } from "@playwright/test";

/** The chat of a ride: its button, its panel, and what it adds to the cards of the riders. */
export class Chat {
  readonly button: Locator;
  readonly region: Locator;
  readonly log: Locator;
  readonly text: Locator;
  readonly send: Locator;
  readonly alert: Locator;
  readonly avatarDialog: Locator;
  readonly news: Locator;
  readonly lines: Locator;

  constructor(private readonly page: Page) {
    this.button = page.getByRole("button", { name: /^Chat(, \d+ unread)?$/ });
    this.region = page.getByRole("region", { name: "Chat", exact: true });
    this.log = this.region.getByRole("log", { name: "Messages" });
    this.text = this.region.getByRole("textbox", { name: "Message" });
    this.send = this.region.getByRole("button", { name: "Send", exact: true });
    this.alert = this.region.getByRole("alert");
    this.avatarDialog = page.getByRole("dialog", { name: "Your avatar" });
    this.news = page.getByRole("status", { name: "Messages and reactions" });
    this.lines = page.locator(".chat-line");
  }

  async open(): Promise<void> {
    if ((await this.button.getAttribute("aria-expanded")) !== "true") await this.button.click();
    await expect(this.region).toBeVisible();
  }

  async close(): Promise<void> {
    if ((await this.button.getAttribute("aria-expanded")) === "true") await this.region.getByRole("button", { name: "Close" }).click();
    await expect(this.region).toBeHidden();
  }

  /** Sends a message in the tab that is shown. */
  async say(text: string): Promise<void> {
    await this.text.fill(text);
    await this.send.click();
    await expect(this.text).toHaveValue("");
  }

  /** The message with exactly this text. */
  message(text: string): Message {
    const exact = this.page.locator("[data-text]").filter({ hasText: new RegExp(`^${escaped(text)}$`) });
    return new Message(this.log.locator("article[data-message]").filter({ has: exact }));
  }

  /** All texts of the tab that is shown. */
  texts(): Locator {
    return this.log.locator("[data-text]");
  }

  tab(name: string): Locator {
    return this.region.getByRole("tab", { name });
  }

  async setting(name: string | RegExp): Promise<Locator> {
    const settings = this.region.getByRole("button", { name: "Settings" });
    if ((await settings.getAttribute("aria-expanded")) !== "true") await settings.click();
    return this.region.getByRole("checkbox", { name });
  }

  /** Button with this name anywhere on the page. */
  action(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }
}

/** One message of the chat. */
export class Message {
  readonly marks: Locator;

  constructor(readonly article: Locator) {
    this.marks = article.locator(".message-marks");
  }

  /** Carries out an action of the message's menu. */
  async act(name: string): Promise<void> {
    const menu = this.article.getByRole("button", { name: "Actions" });
    if ((await menu.getAttribute("aria-expanded")) !== "true") await menu.click();
    await this.article.getByRole("button", { name, exact: true }).click();
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
