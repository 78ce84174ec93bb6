/** Versions of the specification. */

/** The one that is implemented: the newest whose configurations are taken, and that of documents of our own. */
export const ociVersion = "1.3.0";

/** The oldest whose configurations are taken. */
export const ociVersionMin = "1.0.0";
