import { expect, type Download, type Locator, type Page } from "@playwright/test";
import type { FilePayload } from "../fixtures/workouts.ts";
import { RiderForm } from "./rider_form.ts";
import { RiderCard, type Metric } from "./rider_card.ts";

/** The page of a ride: invitation, lobby, countdown, ride and summary. */
export class RidePage {
  readonly riderForm: RiderForm;
  readonly join: Locator;
  readonly code: Locator;
  readonly copyLink: Locator;
  readonly qrCode: Locator;
  readonly riders: Locator;
  readonly ready: Locator;
  readonly connectTrainer: Locator;
  readonly simulate: Locator;
  readonly choose: Locator;
  readonly chooser: Locator;
  readonly workoutFile: Locator;
  readonly profile: Locator;
  readonly start: Locator;
  readonly countdown: Locator;
  readonly myRide: Locator;
  readonly cancelStart: Locator;
  readonly back: Locator;
  readonly skip: Locator;
  readonly extend: Locator;
  readonly pause: Locator;
  readonly resume: Locator;
  readonly end: Locator;
  readonly leave: Locator;
  readonly confirm: Locator;
  readonly summary: Locator;
  readonly download: Locator;
  readonly chart: Locator;
  readonly chartRiders: Locator;
  readonly statusRegion: Locator;

  constructor(readonly page: Page) {
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    this.riderForm = new RiderForm(page);
    this.join = button("Join");
    this.code = page.getByRole("status", { name: "Session code" });
    this.copyLink = button("Copy link");
    this.qrCode = page.getByRole("img", { name: "QR code" });
    this.riders = page.getByRole("list", { name: "Riders" });
    this.ready = page.getByRole("checkbox", { name: "Ready" });
    this.connectTrainer = button("Pair trainer");
    this.simulate = button("Use simulated trainer");
    this.choose = button("Choose workout");
    this.chooser = page.getByRole("dialog").filter({ has: page.getByLabel("Workout file") });
    this.workoutFile = page.getByLabel("Workout file");
    this.profile = page.getByRole("img", { name: "Workout profile" });
    this.start = button("Start countdown");
    this.countdown = page.getByRole("timer", { name: "Countdown" });
    this.myRide = page.getByRole("region", { name: "My ride" });
    this.cancelStart = button("Cancel start");
    this.back = button("Back");
    this.skip = button("Skip interval");
    this.extend = button("Extend interval by +1 min");
    this.pause = button("Pause");
    this.resume = button("Resume");
    this.end = button("End ride");
    this.leave = button("Leave");
    this.confirm = page.getByRole("dialog");
    this.summary = page.getByRole("region", { name: "Ride summary" });
    this.download = button("Download FIT");
    this.chart = page.getByRole("img", { name: "Power of the riders over what was asked" });
    this.chartRiders = page.getByRole("list", { name: "Mean power of the riders" });
    this.statusRegion = page.getByRole("status", { name: "News" });
  }

  card(name: string): RiderCard {
    return new RiderCard(this.riders.getByRole("article", { name, exact: true }));
  }

  metric(metric: Metric): Locator {
    return this.myRide.locator(`[data-metric="${metric}"]`);
  }

  figure(name: string): Locator {
    const term = this.summary.locator("dt").filter({ hasText: new RegExp(`^${name}$`) });
    return term.locator("xpath=following-sibling::dd[1]").locator(".number");
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { name, exact: true });
  }

  /** Shares a workout file, and waits until the dialog has closed. */
  async share(workout: FilePayload): Promise<void> {
    await this.choose.click();
    await this.workoutFile.setInputFiles(workout);
    await expect(this.chooser).toBeHidden();
  }

  /** Time ridden in seconds, as shown on the screen. */
  async elapsed(): Promise<number> {
    return clockSeconds(await this.metric("elapsed").innerText());
  }

  /** Time left of the interval in seconds, as shown on the screen. */
  async leftInInterval(): Promise<number> {
    return clockSeconds(await this.metric("interval-remaining").innerText());
  }

  /** Starts the countdown. */
  async startCountdown(): Promise<void> {
    await this.tapUntil(this.start, () => expect(this.countdown).toBeVisible({ timeout: 500 }));
  }

  /** Cancels the countdown. */
  async cancelCountdown(): Promise<void> {
    await this.tapUntil(this.cancelStart, () => expect(this.countdown).toBeHidden({ timeout: 500 }));
  }

  /** Resumes the ride after a pause. */
  async resumeRide(): Promise<void> {
    await this.tapUntil(this.resume, () => expect(this.myRide.getByText("Resuming in")).toBeVisible({ timeout: 500 }));
  }

  /**
   * Taps a control until it has its effect: one that has just changed its meaning ignores taps. The effect of a tap may
   * come late, when the control is gone.
   */
  private async tapUntil(control: Locator, effect: () => Promise<void>): Promise<void> {
    await expect(async () => {
      if (await control.isVisible()) await control.click({ timeout: 1_000 });
      await effect();
    }).toPass();
  }

  /** Waits until the countdown is over and the ride is shown. */
  async expectRiding(): Promise<void> {
    await expect(this.myRide).toBeVisible({ timeout: 15_000 });
  }

  async downloadFit(): Promise<Download> {
    const download = this.page.waitForEvent("download");
    await this.download.click();
    return download;
  }
}

/** Seconds of a time like `1:02:03`. */
export function clockSeconds(clock: string): number {
  return clock.split(":").reduce((seconds, part) => seconds * 60 + Number(part), 0);
}
