/** What has been made and how to take it back, pushed beside the making and run in reverse. */
import { messageOf } from "../errors.ts";

/** A stack of undo steps. A step that fails is told and does not keep the others from running. */
export class Undo {
  readonly #steps: { readonly name: string; readonly act: () => void }[] = [];

  /** Remembers how to take back what was just made. */
  push(name: string, act: () => void): void {
    this.#steps.push({ name, act });
  }

  /** Takes everything back; failures go to `warn` and never replace the error that led here. */
  run(warn: (message: string) => void): void {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        step.act();
      } catch (error) {
        warn(`cannot ${step.name}: ${messageOf(error)}`);
      }
    }
  }

  /** All went well: nothing is to be taken back. */
  forget(): void {
    this.#steps.length = 0;
  }
}
