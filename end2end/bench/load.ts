import { readFileSync } from "node:fs";
import type { Browser, CDPSession, Page } from "@playwright/test";

type Process = { id: number; type: string; cpuTime: number };

/** Resources that pages use during an action. */
export type Load = { bytes: number[]; processor: number[]; memory: number[] };

/** Runs an action and measures the processes and connections of the pages. Each page has its own context and thereby its own process. */
export async function measureLoad<T>(browser: Browser, pages: Page[], act: () => Promise<T>): Promise<[T, Load]> {
  const session = await browser.newBrowserCDPSession();
  const before = await snapshot(session, pages);
  const result = await act();
  const after = await snapshot(session, pages);
  await session.detach();

  const seconds = (after.at - before.at) / 1_000;
  const processorTime = (process: Process) => process.cpuTime - (before.processes.find(({ id }) => id === process.id)?.cpuTime ?? 0);
  // Chromium has one or two idle renderers in reserve.
  const busiest = after.processes.sort((one, other) => processorTime(other) - processorTime(one)).slice(0, pages.length);
  return [
    result,
    {
      bytes: after.bytes.flatMap((links, page) => links.map((bytes, link) => (bytes - (before.bytes[page]?.[link] ?? 0)) / seconds)),
      processor: busiest.map((process) => (processorTime(process) / seconds) * 100),
      memory: busiest.map(({ id }) => memoryOf(id)),
    },
  ];
}

async function snapshot(session: CDPSession, pages: Page[]) {
  const bytes = await Promise.all(pages.map((page) => page.evaluate(bytesSent)));
  const { processInfo } = (await session.send("SystemInfo.getProcessInfo")) as { processInfo: Process[] };
  return { at: performance.now(), bytes, processes: processInfo.filter(({ type }) => type === "renderer") };
}

/** Bytes sent over each connection of a page so far. Runs in the page. */
async function bytesSent(): Promise<number[]> {
  const open = (window.peerConnections ?? []).filter((connection) => connection.connectionState === "connected");
  const sent = async (connection: RTCPeerConnection) => {
    const stats = [...(await connection.getStats()).values()];
    return stats.find((entry) => entry.type === "transport")?.bytesSent ?? 0;
  };
  return Promise.all(open.map(sent));
}

/** Proportional set size of a process in MiB: shared memory is divided among the processes that share it. */
function memoryOf(pid: number): number {
  const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kibibytes) / 1_024;
}
