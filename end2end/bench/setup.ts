import { deleteFigures } from "./figures.ts";

/** Removes the figures of earlier runs. */
export default deleteFigures;
