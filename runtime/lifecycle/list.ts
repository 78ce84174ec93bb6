/** list: every container below the root. */
import { readTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import type { RuntimeContext } from "../context.ts";
import { messageOf, RuntimeError } from "../errors.ts";
import { userOf } from "../proc/passwd.ts";
import { listIds, openStateDir, ownerOf, readState } from "../state/store.ts";
import { type StateDocument, stateDocument } from "./state.ts";
import { statusOf } from "./status.ts";

/** The state documents with their owners. A container that goes away meanwhile is left out; a broken one is told. */
export function listContainers(context: RuntimeContext): readonly StateDocument[] {
  const ids = listIds(context.root);
  if (ids === undefined) {
    if (context.rootGiven !== true) return [];
    throw new RuntimeError("not-found", `open ${context.root}: no such file or directory`);
  }
  const names = new Map<number, string>();
  const documents: StateDocument[] = [];
  for (const id of ids) {
    try {
      const dir = openStateDir(context.root, id);
      closing(dir.fd, () => {
        const saved = readState(dir);
        documents.push(stateDocument(saved, statusOf(dir, saved), ownerName(ownerOf(dir), names)));
      });
    } catch (error) {
      if (error instanceof RuntimeError && error.kind === "not-found" && !stillThere(context, id)) continue;
      context.warn(`load container ${id}: ${messageOf(error)}`);
    }
  }
  return documents;
}

function stillThere(context: RuntimeContext, id: string): boolean {
  return listIds(context.root)?.includes(id) ?? false;
}

/** The user's name, or "#UID" when /etc/passwd does not know it. */
function ownerName(uid: number, known: Map<number, string>): string {
  const name = known.get(uid) ?? lookUp(uid) ?? `#${uid}`;
  known.set(uid, name);
  return name;
}

function lookUp(uid: number): string | undefined {
  try {
    return userOf(uid, readTextAt(CWD, "/etc/passwd"))?.name;
  } catch {
    return undefined;
  }
}
