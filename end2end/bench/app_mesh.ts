import { expect, type Page } from "@playwright/test";
import type { NewRider } from "../fixtures/test.ts";
import { longRide } from "../fixtures/workouts.ts";
import { Rider } from "../pages/rider.ts";
import type { MeasuredMesh, Member, FirstContact, Start } from "./measured_mesh.ts";
import { probeApp } from "./app_probe.ts";

/** The mesh of the app, with its own pages. */
export class AppMesh implements MeasuredMesh {
  private invitation = "";
  private readonly riders = new Map<Page, Rider>();

  constructor(private readonly newRider: NewRider) {}

  async prepare(name: string): Promise<Page> {
    const rider = await this.newRider(name, 200, { before: probeApp });
    this.riders.set(rider.page, rider);
    // The first rider creates the ride when joining.
    if (this.invitation) await rider.openInvitation(this.invitation);
    else await rider.home.open();
    return rider.page;
  }

  async join(page: Page, present: Member[]): Promise<Member & { joined: number }> {
    const rider = this.rider(page);
    if (present.length === 0) {
      await rider.startRide();
      this.invitation = rider.invitation;
    } else {
      await rider.ride.join.click();
      await rider.expectLobby();
    }
    const id = await rider.ride.card(rider.name).peer();
    const ids = present.map((member) => member.id);
    await page.evaluate((ids) => window.probe!.waitForLinks(ids), ids);
    await Promise.all(present.map((member) => member.page.evaluate((id) => window.probe!.waitForLinks([id]), id)));
    return { page, id, joined: await page.evaluate(() => window.probe!.joined) };
  }

  async leave(member: Member, others: Member[]): Promise<void> {
    await this.rider(member.page).ride.leave.click();
    await Promise.all(others.map(({ page }) => page.evaluate((id) => window.probe!.waitForLeave(id), member.id)));
  }

  async start(members: Member[]): Promise<void> {
    const riders = members.map(({ page }) => this.rider(page));
    for (const rider of riders) await rider.useSimulatedTrainer();
    const [host] = riders;
    await host!.ride.share(longRide);
    await Promise.all(riders.map((rider) => expect(rider.ride.profile).toBeVisible()));
    await host!.ride.start.click();
    await host!.ride.expectRiding();
    for (const rider of riders) await rider.ride.expectRiding();
  }

  began({ page }: Member): Promise<Start> {
    return page.evaluate(() => ({ began: window.probe!.began, shown: window.rideShownAt ?? NaN }));
  }

  firstContacts({ page }: Member): Promise<Record<string, FirstContact>> {
    return page.evaluate(() => window.probe!.firstContacts);
  }

  async ages(members: Member[], seconds: number): Promise<number[]> {
    const start = Date.now();
    await members[0]!.page.waitForTimeout(seconds * 1_000);
    const noted = await Promise.all(members.map(({ page }) => page.evaluate(() => ({ sent: window.probe!.sent, received: window.probe!.received }))));
    return noted.flatMap(({ received }, index) => {
      const others = noted.filter((_, other) => other !== index).flatMap(({ sent }) => sent);
      // The same bytes are sent to several riders, one call after the other; the first call counts.
      const calls = new Map(others.reverse());
      return received.flatMap(([bytes, at]) => {
        const call = calls.get(bytes);
        return call !== undefined && call >= start ? [at - call] : [];
      });
    });
  }

  private rider(page: Page): Rider {
    const rider = this.riders.get(page);
    if (!rider) throw new Error("This page belongs to no rider.");
    return rider;
  }
}
