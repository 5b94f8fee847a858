import { deleteMeasurements } from "./fixtures/measurements.ts";

/** Removes the measurements of earlier runs. */
export default deleteMeasurements;
