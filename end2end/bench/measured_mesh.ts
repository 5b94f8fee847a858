import type { Page } from "@playwright/test";

/** When a page first had another rider's numbers and a direct link to them, in wall clock milliseconds. */
export type FirstContact = { numbers?: number; direct?: number };

/** Durations of a join in milliseconds. */
export type JoinTimes = { numbers: number; direct: number };

/** When the state of a page changed to riding, and when a page with a screen showed it, in wall clock milliseconds. */
export type Start = { began: number; shown?: number };

/** A rider of the mesh: a page in its own browser context. */
export interface Member {
  readonly page: Page;
  /** Id by which the other members know this one. */
  readonly id: string;
}

/** A mesh that can be measured. */
export interface MeasuredMesh {
  /** Opens a page that is ready to join. */
  prepare(name: string): Promise<Page>;
  /** Joins, and waits until the new member and all present ones are linked. */
  join(page: Page, present: Member[]): Promise<Member & { joined: number }>;
  /** Leaves, and waits until the others have noticed. */
  leave(member: Member, others: Member[]): Promise<void>;
  /** Starts a ride for all members, and waits until all of them ride. */
  start(members: Member[]): Promise<void>;
  /** When the ride began on a page. */
  began(member: Member): Promise<Start>;
  /** First contacts of a page with the other members, by id. */
  firstContacts(member: Member): Promise<Record<string, FirstContact>>;
  /** Ages in milliseconds of the numbers that arrive during some seconds. */
  ages(members: Member[], seconds: number): Promise<number[]>;
}

/** Times from joining until the new member and all others had numbers of each other, and direct links. */
export async function joinTimes(mesh: MeasuredMesh, newcomer: Member & { joined: number }, others: Member[]): Promise<JoinTimes> {
  const own = await mesh.firstContacts(newcomer);
  const theirs = await Promise.all(others.map(async (other) => (await mesh.firstContacts(other))[newcomer.id]));
  const contacts = [...others.map(({ id }) => own[id]), ...theirs];
  const latest = (time: (contact: FirstContact) => number | undefined) => Math.max(...contacts.map((contact) => (contact && time(contact)) ?? NaN));
  return {
    numbers: latest(({ numbers }) => numbers) - newcomer.joined,
    direct: latest(({ direct }) => direct) - newcomer.joined,
  };
}
