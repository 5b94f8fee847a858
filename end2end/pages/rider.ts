import { expect, type BrowserContext, type Page } from "@playwright/test";
import type { FilePayload } from "../fixtures/workouts.ts";
import { Chat } from "./chat.ts";
import { Files } from "./files.ts";
import { HomePage } from "./home_page.ts";
import { Media } from "./media.ts";
import { RidePage } from "./ride_page.ts";

/** A rider: a page with a name and an FTP. */
export class Rider {
  readonly home: HomePage;
  readonly ride: RidePage;
  readonly chat: Chat;
  readonly files: Files;
  readonly media: Media;

  constructor(
    readonly page: Page,
    readonly name: string,
    readonly ftp: number,
    /** Origin of the server, if the browser context has no base URL. */
    origin = "",
  ) {
    this.home = new HomePage(page, origin);
    this.ride = new RidePage(page);
    this.chat = new Chat(page);
    this.files = new Files(page);
    this.media = new Media(page);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** The invitation link: the address of the page. */
  get invitation(): string {
    return this.page.url();
  }

  /** Creates a ride on the home page, and waits for its lobby. */
  async startRide(): Promise<void> {
    await this.home.open();
    await this.home.rider.fill(this.name, this.ftp);
    await this.home.start.click();
    await this.expectLobby();
  }

  /** Opens an invitation and joins. */
  async acceptInvitation(invitation: string): Promise<void> {
    await this.openInvitation(invitation);
    await this.ride.join.click();
  }

  /** Opens an invitation and fills in the form, without joining. */
  async openInvitation(invitation: string): Promise<void> {
    await this.page.goto(invitation);
    await this.ride.riderForm.fill(this.name, this.ftp);
  }

  async expectLobby(): Promise<void> {
    await expect(this.ride.code).toBeVisible();
    await this.ride.card(this.name).expectLink("self");
  }

  async useSimulatedTrainer(): Promise<void> {
    await this.ride.simulate.click();
  }
}

/** Gathers riders in the lobby of the host's ride, in this order, all on simulated trainers. */
export async function gather(host: Rider, ...others: Rider[]): Promise<void> {
  await host.startRide();
  await Promise.all(others.map((other) => other.openInvitation(host.invitation)));
  for (const other of others) {
    await other.ride.join.click();
    await other.expectLobby();
  }
  const all = [host, ...others];
  await Promise.all(all.map((rider) => rider.useSimulatedTrainer()));
  await Promise.all(all.map((rider) => expect(rider.ride.riders.getByRole("article")).toHaveCount(all.length)));
}

/** Gathers riders, shares the workout, starts, and waits until all of them ride. */
export async function rideTogether(workout: FilePayload, host: Rider, ...others: Rider[]): Promise<void> {
  await gather(host, ...others);
  await host.ride.share(workout);
  await host.ride.start.click();
  await Promise.all([host, ...others].map((rider) => rider.ride.expectRiding()));
  // Right after the start, the host's control ignores taps that were meant for the countdown.
  await expect.poll(() => host.ride.elapsed()).toBeGreaterThanOrEqual(1);
}

/** Runs a function for all riders at once. */
export function each<T>(riders: Rider[], run: (rider: Rider) => Promise<T>): Promise<T[]> {
  return Promise.all(riders.map(run));
}

/** Runs a function for all ordered pairs of riders: `watcher` looks at the card of `other`. */
export function eachPair(riders: Rider[], run: (watcher: Rider, other: Rider) => Promise<void>): Promise<unknown> {
  const pairs = riders.flatMap((watcher) => riders.filter((rider) => rider !== watcher).map((other) => [watcher, other] as const));
  return Promise.all(pairs.map(([watcher, other]) => run(watcher, other)));
}

/** Expects two riders at the same second. Screens show whole seconds and are read one after the other, so a difference of one is accepted. */
export async function expectSameSecond(one: Rider, other: Rider): Promise<void> {
  const [first, second] = await Promise.all([one.ride.elapsed(), other.ride.elapsed()]);
  expect(Math.abs(first - second), `seconds between ${first} and ${second}`).toBeLessThanOrEqual(1);
}
