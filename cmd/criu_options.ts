/** What `checkpoint` and `restore` have in common. */
import type { restoreContainer } from "../runtime/lifecycle/restore.ts";
import type { OptionTable, OptionValues } from "./options.ts";
import { absolute, optionalPath } from "./paths.ts";

export const criuOptions = {
  "image-path": {
    kind: "string",
    placeholder: "DIR",
    description: "the directory of the image files; ./checkpoint when not given",
  },
  "work-path": {
    kind: "string",
    placeholder: "DIR",
    description: "where CRIU writes its log and statistics; the image path when not given",
  },
  "tcp-established": { kind: "boolean", description: "keep established TCP connections" },
  "ext-unix-sk": { kind: "boolean", description: "allow connected unix sockets whose other end is outside" },
  "shell-job": { kind: "boolean", description: "allow a session or a terminal of the caller's" },
  "file-locks": { kind: "boolean", description: "keep file locks" },
  "manage-cgroups-mode": {
    kind: "string",
    placeholder: "MODE",
    description:
      "what becomes of the container's cgroups: soft, full, strict or ignore; CRIU's choice when not given",
  },
  "empty-ns": {
    kind: "string[]",
    placeholder: "TYPE",
    description:
      "keep nothing of a namespace but that there is one: network, of which nothing is kept anyway",
  },
  "auto-dedup": { kind: "boolean", description: "leave out of older images what newer ones have" },
  "lazy-pages": { kind: "boolean", description: "bring memory when it is needed (userfaultfd)" },
} as const satisfies OptionTable;

type CriuOptions = Parameters<typeof restoreContainer>[1]["criu"];

export function criuRequest(
  options: OptionValues<typeof criuOptions>,
): Omit<CriuOptions, "lsmProfile" | "lsmMountContext"> {
  return {
    imagePath: absolute(options["image-path"] || "checkpoint"),
    ...optionalPath("workPath", options["work-path"]),
    tcpEstablished: options["tcp-established"],
    extUnixSk: options["ext-unix-sk"],
    shellJob: options["shell-job"],
    fileLocks: options["file-locks"],
    manageCgroupsMode: options["manage-cgroups-mode"] ?? "",
    emptyNs: options["empty-ns"],
    autoDedup: options["auto-dedup"],
    lazyPages: options["lazy-pages"],
  };
}
