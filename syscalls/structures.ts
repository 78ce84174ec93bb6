/** Kinds of arguments that are structures: the trace shows what they hold, member by member; zeros are left out. */

import { type Arg, pointedTo } from "./arg.ts";
import { AF_UNIX, SCM_RIGHTS } from "./constants/socket.ts";
import { fdText } from "./descriptor_name.ts";
import { bytes, type Kind, plain } from "./kinds.ts";
import type { Layout, Member } from "./layouts.ts";
import * as files from "./names/files.ts";
import * as processes from "./names/processes.ts";
import { flagsText } from "./names.ts";
import { decodeUtf8 } from "./utf8.ts";

const viewOf = (arg: Arg): DataView | undefined =>
  arg === null || typeof arg !== "object"
    ? undefined
    : new DataView(arg.buffer, arg.byteOffset, arg.byteLength);

const of =
  (show: (view: DataView, arg: Arg) => string): Kind["show"] =>
  (arg) => {
    const view = viewOf(arg);
    return view === undefined ? plain(arg) : show(view, arg);
  };

/** A structure that this program fills. */
export const struct = (layout: Layout): Kind => ({ show: of((view) => membersText(layout.members, view)) });

/** A structure that the kernel fills; nothing is in it after a failure. */
export const structFilled = (layout: Layout): Kind => ({
  show: (arg, made) => ((made.result ?? -1) < 0 ? plain(arg) : struct(layout).show(arg, made)),
  filled: true,
});

function membersText(members: readonly Member[], view: DataView): string {
  const shown: string[] = [];
  for (const [name, offset, size, kind] of members) {
    if (offset + Math.abs(size) > view.byteLength) break;
    const value = valueAt(view, offset, size);
    if (BigInt(value) !== 0n) shown.push(`${name}=${kind.show(value, { args: [] })}`);
  }
  return `{${shown.join(", ")}}`;
}

function valueAt(view: DataView, offset: number, size: Member[2]): number | bigint {
  if (size === 2) return view.getUint16(offset, true);
  if (size === 4) return view.getUint32(offset, true);
  return size === -4 ? view.getInt32(offset, true) : view.getBigUint64(offset, true);
}

const events = files.POLL;

/** struct pollfd after struct pollfd, with what came. */
export const pollfds: Kind = {
  show: of((view) => {
    const shown: string[] = [];
    for (let at = 0; at + 8 <= view.byteLength; at += 8) {
      const came = view.getUint16(at + 6, true);
      const asked = flagsText(events, view.getUint16(at + 4, true));
      const answer = came === 0 ? "" : `, revents=${flagsText(events, came)}`;
      shown.push(`{fd=${fdText(view.getInt32(at, true))}, events=${asked}${answer}}`);
    }
    return `[${shown.join(", ")}]`;
  }),
  filled: true,
};

const capabilities = processes.CAP_;

/** struct __user_cap_data_struct twice: the lower and the upper half of each set. */
export const capabilityData: Kind = {
  show: of((view) => {
    const sets = ["effective", "permitted", "inheritable"].map((name, i) => {
      const [low, high] = [view.getUint32(4 * i, true), view.getUint32(12 + 4 * i, true)];
      return `${name}=${setText(BigInt(low) | (BigInt(high) << 32n))}`;
    });
    return `{${sets.join(", ")}}`;
  }),
};
export const capabilityDataFilled: Kind = { ...capabilityData, filled: true };

/** A bit for each, as masks have them. */
const capabilityBits = Object.fromEntries(Object.entries(capabilities).map(([name, n]) => [name, 2 ** n]));
const EVERY = Object.values(capabilityBits).reduce((all, bit) => all | BigInt(bit), 0n);

function setText(set: bigint): string {
  return (set & EVERY) === EVERY ? "all" : flagsText(capabilityBits, set);
}

/** struct sockaddr_un with its path, or the abstract name after "@". */
export const sockaddr: Kind = {
  show: of((view) => {
    if (view.getUint16(0, true) !== AF_UNIX) return `[${view.byteLength} bytes]`;
    const name = new Uint8Array(view.buffer, view.byteOffset + 2, view.byteLength - 2);
    const abstract = name.length > 0 && name[0] === 0;
    const end = abstract ? -1 : name.indexOf(0);
    const text = decodeUtf8(name.subarray(abstract ? 1 : 0, end < 0 ? name.length : end));
    return `{sun_family=AF_UNIX, sun_path=${JSON.stringify(abstract ? `@${text}` : text)}}`;
  }),
};

/** struct msghdr: the payload, and the descriptor beside it. */
function messageText(view: DataView, arg: Arg, length: number | undefined): string {
  const [payload, control] = (typeof arg === "object" && arg !== null && pointedTo.get(arg)) || [];
  if (payload === undefined) return `[${view.byteLength} bytes]`;
  const whole = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  const shown = bytes.show(length === undefined ? whole : whole.subarray(0, Math.max(0, length)), {
    args: [],
  });
  const data = viewOf(control ?? null);
  const carries = view.getBigUint64(40, true) >= 20n && data?.getInt32(12, true) === SCM_RIGHTS;
  const rights = carries && data !== undefined ? `, SCM_RIGHTS=[${fdText(data.getInt32(16, true))}]` : "";
  return `{msg_iov=[${shown}]${rights}}`;
}
export const message: Kind = { show: of((view, arg) => messageText(view, arg, undefined)) };
export const messageFilled: Kind = {
  show: (arg, { result = -1 }) =>
    result < 0 ? plain(arg) : of((view) => messageText(view, arg, result))(arg, { args: [] }),
  filled: true,
};

/** struct sock_fprog: how long the program is. */
export const program: Kind = { show: of((view) => `[${view.getUint16(0, true)} instructions]`) };

/** struct sigaction of the kernel, of which only the handler is ever set. */
export const sigaction: Kind = {
  show: of((view) => `{sa_handler=${view.getBigUint64(0, true) === 1n ? "SIG_IGN" : "SIG_DFL"}}`),
};
