/** state (runtime.md "Query State"). */

import type { State } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { openStateDir, readState, type SavedState } from "../state/store.ts";
import { type Status, statusOf } from "./status.ts";

/** The state document in runc's key order; `owner` is always empty here, only `list` fills it. */
export interface StateDocument extends Omit<State, "status"> {
  readonly status: Status;
  readonly rootfs: string;
  readonly created: string;
  readonly owner: string;
}

/** The state of one container. */
export function containerState(context: RuntimeContext, id: string): StateDocument {
  const dir = openStateDir(context.root, id);
  const saved = readState(dir);
  return stateDocument(saved, statusOf(dir, saved));
}

/** Puts a saved state into the form of the document. */
export function stateDocument(saved: SavedState, status: Status, owner = ""): StateDocument {
  const { annotations } = saved.config;
  return {
    ociVersion: saved.config.ociVersion,
    id: saved.id,
    pid: status === "stopped" ? 0 : saved.init.pid,
    status,
    bundle: saved.bundle,
    rootfs: saved.rootfs,
    created: saved.created,
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
    owner,
  };
}

/** The state document of the specification, which hooks get on their standard input; as from runc, without a pid when there is none. */
export function hookState(saved: SavedState, status: Status, pid: number | undefined): string {
  const { annotations, ociVersion: version } = saved.config;
  return JSON.stringify({
    ociVersion: version,
    id: saved.id,
    status,
    pid,
    bundle: saved.bundle,
    annotations,
  });
}
