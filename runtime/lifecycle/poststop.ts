/** The hooks of the end. */
import type { RuntimeContext } from "../context.ts";
import { messageOf } from "../errors.ts";
import { runHooks } from "../hooks/run.ts";
import { wholeEnvironment } from "../self/seal.ts";
import type { SavedState } from "../state/store.ts";
import { hookState } from "./state.ts";

/** Runs the poststop hooks: after the deletion, and a failure must not stop the others (runtime.md, step 13). */
export function runPoststop(context: RuntimeContext, saved: SavedState): void {
  for (const hook of saved.config.hooks?.poststop ?? []) {
    try {
      runHooks("poststop", [hook], {
        state: hookState(saved, "stopped", undefined),
        defaultEnv: wholeEnvironment,
      });
    } catch (error) {
      context.warn(messageOf(error));
    }
  }
}
