import { readFileSync } from "node:fs";
import type { Browser, CDPSession, Page } from "@playwright/test";

type Process = { id: number; type: string; cpuTime: number };

/** What pages take while something goes on. */
export type Load = { bytes: number[]; processor: number[]; memory: number[] };

/** Looks at the pages' processes and connections while something goes on. Each page is in a context, and so in a process, of its own. */
export async function loadOf<T>(browser: Browser, pages: Page[], act: () => Promise<T>): Promise<[T, Load]> {
  const session = await browser.newBrowserCDPSession();
  const before = await look(session, pages);
  const result = await act();
  const after = await look(session, pages);
  await session.detach();

  const seconds = (after.at - before.at) / 1_000;
  const spent = (process: Process) => process.cpuTime - (before.processes.find(({ id }) => id === process.id)?.cpuTime ?? 0);
  // Chromium keeps a renderer or two in reserve, which do nothing.
  const busiest = after.processes.sort((one, other) => spent(other) - spent(one)).slice(0, pages.length);
  return [
    result,
    {
      bytes: after.bytes.flatMap((links, page) => links.map((bytes, link) => (bytes - (before.bytes[page]?.[link] ?? 0)) / seconds)),
      processor: busiest.map((process) => (spent(process) / seconds) * 100),
      memory: busiest.map(({ id }) => memoryOf(id)),
    },
  ];
}

async function look(session: CDPSession, pages: Page[]) {
  const bytes = await Promise.all(pages.map((page) => page.evaluate(bytesSent)));
  const { processInfo } = (await session.send("SystemInfo.getProcessInfo")) as { processInfo: Process[] };
  return { at: performance.now(), bytes, processes: processInfo.filter(({ type }) => type === "renderer") };
}

/** What a page has sent over each of its connections so far. Runs in the page. */
async function bytesSent(): Promise<number[]> {
  const open = (window.connections ?? []).filter((connection) => connection.connectionState === "connected");
  const sent = async (connection: RTCPeerConnection) => {
    const stats = [...(await connection.getStats()).values()];
    return stats.find((entry) => entry.type === "transport")?.bytesSent ?? 0;
  };
  return Promise.all(open.map(sent));
}

/** A process's share of all memory, in MiB: what it has in common with others is divided among them. */
function memoryOf(pid: number): number {
  const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kibibytes) / 1_024;
}
