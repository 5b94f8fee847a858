import type { Page } from "@playwright/test";
import type { OpenClient } from "../fixtures/clients.ts";
import type { Server } from "../fixtures/server.ts";
import "../pages/peerjs.ts";
import "../pages/simple_peer.ts";
import { recordRideStart } from "../fixtures/probes.ts";
import type { MeasuredMesh, Member, FirstContact, Start } from "./measured_mesh.ts";
import { linkByPeerJs, linkBySimplePeer, rideInPage } from "./library_page.ts";

let meshes = 0;

/** A mesh made with a client library and its defaults, with only the code that the measurement needs. */
export class LibraryMesh implements MeasuredMesh {
  private readonly room = `bench-${(meshes += 1)}`;
  private pages = 0;

  constructor(
    private readonly library: "peerjs" | "simple-peer",
    private readonly openClient: OpenClient,
    private readonly server: Server,
  ) {}

  async prepare(name: string): Promise<Page> {
    const page = await this.openClient(this.library, name);
    await page.evaluate(recordRideStart);
    this.pages += 1;
    const { hostname: host, port } = new URL(this.server.origin);
    if (this.library === "peerjs") {
      const id = (rider: number) => `${this.room}-${rider}`;
      await page.evaluate(linkByPeerJs, { host, port: Number(port), token: this.room, id: id(this.pages), first: id(1) });
    } else {
      await page.evaluate(linkBySimplePeer, { address: `ws://${host}:${port}/signal/${this.room}`, name });
    }
    await page.evaluate(rideInPage);
    return page;
  }

  async join(page: Page, present: Member[]): Promise<Member & { joined: number }> {
    const id = await page.evaluate(() => {
      window.libraryPage!.join();
      return window.libraryPage!.ready();
    });
    const ids = present.map((member) => member.id);
    await page.evaluate((ids) => window.libraryPage!.waitForLinks(ids), ids);
    await Promise.all(present.map((member) => member.page.evaluate((id) => window.libraryPage!.waitForLinks([id]), id)));
    return { page, id, joined: await page.evaluate(() => window.libraryPage!.joined) };
  }

  async leave(member: Member, others: Member[]): Promise<void> {
    await member.page.evaluate(() => window.libraryPage!.leave());
    await Promise.all(others.map(({ page }) => page.evaluate((id) => window.libraryPage!.waitForLeave(id), member.id)));
  }

  async start(members: Member[]): Promise<void> {
    const began = members.map(({ page }) => page.locator("main").waitFor({ state: "attached" }));
    await members[0]!.page.evaluate(() => window.libraryPage!.start());
    await Promise.all(began);
  }

  began({ page }: Member): Promise<Start> {
    return page.evaluate(() => ({ began: window.libraryPage!.began }));
  }

  firstContacts({ page }: Member): Promise<Record<string, FirstContact>> {
    return page.evaluate(() => window.libraryPage!.firstContacts);
  }

  async ages(members: Member[], seconds: number): Promise<number[]> {
    await Promise.all(members.map(({ page }) => page.evaluate(() => void (window.libraryPage!.ages = []))));
    await members[0]!.page.waitForTimeout(seconds * 1_000);
    return (await Promise.all(members.map(({ page }) => page.evaluate(() => window.libraryPage!.ages)))).flat();
  }
}
