/**
 * The entry. The build evaluates this and everything that it imports, and freezes the result into the executable; each
 * start begins with a call of this function and ends with the exit status that it returns.
 */
import { main } from "./program.ts";

(globalThis as { main?: () => number }).main = main;
