import type { Page } from "@playwright/test";
import type { OpenClient } from "../fixtures/clients.ts";
import type { Server } from "../fixtures/server.ts";
import "../pages/peerjs.ts";
import "../pages/simple_peer.ts";
import { observeRide } from "../fixtures/probes.ts";
import type { Crowd, Member, Sight, Start } from "./crowd.ts";
import { linkByPeerJs, linkBySimplePeer, ridePlainly } from "./plain_page.ts";

let crowds = 0;

/** Riders of a plain mesh: the library, its defaults, and as little around it as the measurement needs. */
export class PlainCrowd implements Crowd {
  private readonly room = `bench-${(crowds += 1)}`;
  private pages = 0;

  constructor(
    private readonly library: "peerjs" | "simple-peer",
    private readonly openClient: OpenClient,
    private readonly server: Server,
  ) {}

  async prepare(name: string): Promise<Page> {
    const page = await this.openClient(this.library, name);
    await page.evaluate(observeRide);
    this.pages += 1;
    const { hostname: host, port } = new URL(this.server.origin);
    if (this.library === "peerjs") {
      const id = (rider: number) => `${this.room}-${rider}`;
      await page.evaluate(linkByPeerJs, { host, port: Number(port), token: this.room, id: id(this.pages), first: id(1) });
    } else {
      await page.evaluate(linkBySimplePeer, { address: `ws://${host}:${port}/signal/${this.room}`, name });
    }
    await page.evaluate(ridePlainly);
    return page;
  }

  async join(page: Page, present: Member[]): Promise<Member & { joined: number }> {
    const id = await page.evaluate(() => {
      window.plain!.join();
      return window.plain!.ready();
    });
    const ids = present.map((member) => member.id);
    await page.evaluate((ids) => window.plain!.met(ids), ids);
    await Promise.all(present.map((member) => member.page.evaluate((id) => window.plain!.met([id]), id)));
    return { page, id, joined: await page.evaluate(() => window.plain!.joined) };
  }

  async leave(member: Member, others: Member[]): Promise<void> {
    await member.page.evaluate(() => window.plain!.leave());
    await Promise.all(others.map(({ page }) => page.evaluate((id) => window.plain!.gone(id), member.id)));
  }

  async start(members: Member[]): Promise<void> {
    const began = members.map(({ page }) => page.locator("main").waitFor({ state: "attached" }));
    await members[0]!.page.evaluate(() => window.plain!.start());
    await Promise.all(began);
  }

  began({ page }: Member): Promise<Start> {
    return page.evaluate(() => ({ began: window.plain!.began }));
  }

  seen({ page }: Member): Promise<Record<string, Sight>> {
    return page.evaluate(() => window.plain!.sights);
  }

  async ages(members: Member[], seconds: number): Promise<number[]> {
    await Promise.all(members.map(({ page }) => page.evaluate(() => void (window.plain!.ages = []))));
    await members[0]!.page.waitForTimeout(seconds * 1_000);
    return (await Promise.all(members.map(({ page }) => page.evaluate(() => window.plain!.ages)))).flat();
  }
}
