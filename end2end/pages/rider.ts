import { expect, type BrowserContext, type Page } from "@playwright/test";
import type { FilePayload } from "../fixtures/workouts.ts";
import { Home } from "./home.ts";
import { Ride } from "./ride.ts";

/** Somebody with a browser, a name and an FTP. */
export class Rider {
  readonly home: Home;
  readonly ride: Ride;

  constructor(
    readonly page: Page,
    readonly name: string,
    readonly ftp: number,
    /** Of the server, where the browser knows none. */
    origin = "",
  ) {
    this.home = new Home(page, origin);
    this.ride = new Ride(page);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** The address that invites others. */
  get invitation(): string {
    return this.page.url();
  }

  /** From the first page to the lobby of a new ride, as its host. */
  async startsRide(): Promise<void> {
    await this.home.open();
    await this.home.rider.fill(this.name, this.ftp);
    await this.home.start.click();
    await this.expectLobby();
  }

  /** Opens an invitation as a newcomer and joins. */
  async accepts(invitation: string): Promise<void> {
    await this.opens(invitation);
    await this.ride.join.click();
  }

  /** Opens an invitation and says who comes, short of joining. */
  async opens(invitation: string): Promise<void> {
    await this.page.goto(invitation);
    await this.ride.introduce.fill(this.name, this.ftp);
  }

  async expectLobby(): Promise<void> {
    await expect(this.ride.code).toBeVisible();
    await this.ride.card(this.name).expectLink("self");
  }

  async ridesSimulated(): Promise<void> {
    await this.ride.simulate.click();
  }
}

/** Gathers riders in the lobby of the first one's ride, in this order, all on simulated trainers. */
export async function gather(host: Rider, ...others: Rider[]): Promise<void> {
  await host.startsRide();
  await Promise.all(others.map((other) => other.opens(host.invitation)));
  for (const other of others) {
    await other.ride.join.click();
    await other.expectLobby();
  }
  const all = [host, ...others];
  await Promise.all(all.map((rider) => rider.ridesSimulated()));
  await Promise.all(all.map((rider) => expect(rider.ride.riders.getByRole("article")).toHaveCount(all.length)));
}

/** Gathers, shares the workout, and waits until everybody rides. */
export async function rideTogether(workout: FilePayload, host: Rider, ...others: Rider[]): Promise<void> {
  await gather(host, ...others);
  await host.ride.share(workout);
  await host.ride.start.click();
  await Promise.all([host, ...others].map((rider) => rider.ride.ridesSoon()));
}

/** Runs something for every rider at once. */
export function each<T>(riders: Rider[], act: (rider: Rider) => Promise<T>): Promise<T[]> {
  return Promise.all(riders.map(act));
}

/** Runs something for every pair: what the one sees of the other. */
export function eachPair(riders: Rider[], act: (watcher: Rider, other: Rider) => Promise<void>): Promise<unknown> {
  const pairs = riders.flatMap((watcher) => riders.filter((it) => it !== watcher).map((other) => [watcher, other] as const));
  return Promise.all(pairs.map(([watcher, other]) => act(watcher, other)));
}

/** The clocks show whole seconds, so up to one and a half apart shows as one at most. */
export async function expectSameSecond(one: Rider, other: Rider): Promise<void> {
  const [first, second] = await Promise.all([one.ride.elapsed(), other.ride.elapsed()]);
  expect(Math.abs(first - second), `seconds between ${first} and ${second}`).toBeLessThanOrEqual(1);
}
