import { expect, type Page } from "@playwright/test";
import type { Enter } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { Rider } from "../pages/rider.ts";
import type { Crowd, Member, Sight, Start } from "./crowd.ts";
import { watchApp } from "./watch.ts";

/** Riders with the app's own pages. */
export class GruppettoCrowd implements Crowd {
  private invitation = "";
  private readonly riders = new Map<Page, Rider>();

  constructor(private readonly enter: Enter) {}

  async prepare(name: string): Promise<Page> {
    const rider = await this.enter(name, 200, { before: watchApp });
    this.riders.set(rider.page, rider);
    // The first one opens the ride and waits for the others.
    if (this.invitation) await rider.opens(this.invitation);
    else await rider.home.open();
    return rider.page;
  }

  async join(page: Page, present: Member[]): Promise<Member & { joined: number }> {
    const rider = this.rider(page);
    if (present.length === 0) {
      await rider.startsRide();
      this.invitation = rider.invitation;
    } else {
      await rider.ride.join.click();
      await rider.expectLobby();
    }
    const id = await rider.ride.card(rider.name).peer();
    const ids = present.map((member) => member.id);
    await page.evaluate((ids) => window.watch!.met(ids), ids);
    await Promise.all(present.map((member) => member.page.evaluate((id) => window.watch!.met([id]), id)));
    return { page, id, joined: await page.evaluate(() => window.watch!.joined) };
  }

  async leave(member: Member, others: Member[]): Promise<void> {
    await this.rider(member.page).ride.leave.click();
    await Promise.all(others.map(({ page }) => page.evaluate((id) => window.watch!.gone(id), member.id)));
  }

  async start(members: Member[]): Promise<void> {
    const riders = members.map(({ page }) => this.rider(page));
    for (const rider of riders) await rider.ridesSimulated();
    const [host] = riders;
    await host!.ride.share(longRide);
    await Promise.all(riders.map((rider) => expect(rider.ride.profile).toBeVisible()));
    await host!.ride.start.click();
    await host!.ride.ridesSoon();
    for (const rider of riders) await rider.ride.ridesSoon();
  }

  began({ page }: Member): Promise<Start> {
    return page.evaluate(() => ({ began: window.watch!.began, shown: window.rideAppeared ?? NaN }));
  }

  seen({ page }: Member): Promise<Record<string, Sight>> {
    return page.evaluate(() => window.watch!.sights);
  }

  async ages(members: Member[], seconds: number): Promise<number[]> {
    const start = Date.now();
    await members[0]!.page.waitForTimeout(seconds * 1_000);
    const noted = await Promise.all(members.map(({ page }) => page.evaluate(() => ({ sent: window.watch!.sent, received: window.watch!.received }))));
    return noted.flatMap(({ received }, index) => {
      const others = noted.filter((_, other) => other !== index).flatMap(({ sent }) => sent);
      // The same bytes go to several riders, one call after the other: the first counts.
      const calls = new Map(others.reverse());
      return received.flatMap(([bytes, at]) => {
        const call = calls.get(bytes);
        return call !== undefined && call >= start ? [at - call] : [];
      });
    });
  }

  private rider(page: Page): Rider {
    const rider = this.riders.get(page);
    if (!rider) throw new Error("This page is of no rider here.");
    return rider;
  }
}
