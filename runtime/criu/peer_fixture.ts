/** A stand-in for criu: a shell script that reads requests from its descriptor 3 and says bytes that a test gives it. */
import { environmentEntries } from "../../syscalls/start.ts";
import { setMode, withTemporary, writeFile } from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { encodeMessage } from "./message.ts";
import { type CriuResponse, criu_resp, RequestType } from "./rpc.ts";
import type { Program } from "./swrk.ts";

/** Takes the next request, and puts it into the file, when there is one. */
export const take = (file = "/dev/null"): string => `dd bs=65536 count=1 <&3 >${file} 2>/dev/null`;

/** Says one packet. */
const say = (bytes: Uint8Array): string =>
  `printf '${Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}' >&3`;

/** Answers. */
export const answer = (response: CriuResponse): string => say(encodeMessage(criu_resp, response));

export const version = (major_number: number, minor_number: number, sublevel: number): CriuResponse => ({
  type: RequestType.VERSION,
  success: true,
  version: { major_number, minor_number, sublevel },
});

/** Runs the body with a criu that does these lines of shell; `folder` is its directory. */
export function withPeer<T>(lines: readonly string[], body: (criu: Program, folder: string) => T): T {
  return withTemporary("criu-", (folder) => {
    const path = `${folder}/criu` as HostPath;
    writeFile(path, `#!/bin/sh\ncd ${folder}\n${lines.join("\n")}\n`);
    setMode(path, 0o755);
    return body({ path, environment: environmentEntries() }, folder);
  });
}
