import type { Page } from "@playwright/test";

/** Wall clock milliseconds at which a page first had another rider's numbers, and was first linked to them directly. */
export type Sight = { numbers?: number; direct?: number };

/** How long a newcomer took, in milliseconds. */
export type Meeting = { numbers: number; direct: number };

/** When a page's state went over to riding, and when it showed that if it has a screen, in wall clock milliseconds. */
export type Start = { began: number; shown?: number };

/** One of the riders of a crowd: a page in a browser context of its own. */
export interface Member {
  readonly page: Page;
  /** By which the others know them. */
  readonly id: string;
}

/** Riders who are linked by one kind of mesh. */
export interface Crowd {
  /** Opens a page in which nothing but Join is left to do. */
  prepare(name: string): Promise<Page>;
  /** Taps Join, and waits until the newcomer and all of these are linked. */
  join(page: Page, present: Member[]): Promise<Member & { joined: number }>;
  /** Goes, and waits until the others have noticed. */
  leave(member: Member, others: Member[]): Promise<void>;
  /** Starts a ride for all, and waits until all ride. */
  start(members: Member[]): Promise<void>;
  /** When a page's ride began. */
  began(member: Member): Promise<Start>;
  /** What a page has seen of the others so far, by id. */
  seen(member: Member): Promise<Record<string, Sight>>;
  /** The ages of the numbers that have come during some seconds, in milliseconds. */
  ages(members: Member[], seconds: number): Promise<number[]>;
}

/** How long it took a newcomer and the others to see each other. */
export async function meeting(crowd: Crowd, newcomer: Member & { joined: number }, others: Member[]): Promise<Meeting> {
  const own = await crowd.seen(newcomer);
  const theirs = await Promise.all(others.map(async (other) => (await crowd.seen(other))[newcomer.id]));
  const sights = [...others.map(({ id }) => own[id]), ...theirs];
  const latest = (of: (sight: Sight) => number | undefined) => Math.max(...sights.map((sight) => (sight && of(sight)) ?? NaN));
  return {
    numbers: latest(({ numbers }) => numbers) - newcomer.joined,
    direct: latest(({ direct }) => direct) - newcomer.joined,
  };
}
