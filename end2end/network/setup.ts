import { deleteLinks } from "./fixtures/matrix.ts";
import { deleteMeasurements } from "./fixtures/measurements.ts";

/** Removes the measurements of earlier runs. */
export default function setup(): void {
  deleteMeasurements();
  deleteLinks();
}
