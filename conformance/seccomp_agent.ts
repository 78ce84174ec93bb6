// A seccomp agent (seccomp_unotify(2)): listens on a unix socket, takes one filter's listener with the state that
// came along, which it prints, and then answers each notified call: by an errno, or with 0 by letting it happen.
// Ends when no process has the filter any more.  usage: bun run seccomp_agent.ts SOCKET ERRNO
import "./bun_host.ts";
import { writeSync } from "node:fs";
import { POLLIN } from "../syscalls/constants/poll.ts";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from "../syscalls/constants/socket.ts";
import { poll } from "../syscalls/poll.ts";
import { receiveMessage } from "../syscalls/socket.ts";
import { Struct } from "../syscalls/struct.ts";
import { call, tryCall } from "../syscalls/syscall.ts";
import type { Fd } from "../syscalls/types.ts";

// linux/seccomp.h
const SECCOMP_IOCTL_NOTIF_RECV = 0xc0502100;
const SECCOMP_IOCTL_NOTIF_SEND = 0xc0182101;
const SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1;

const [path = "", errno = "0"] = process.argv.slice(2);

const server = call("socket", [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0], path) as Fd;
const name = new TextEncoder().encode(path);
const address = new Struct(2 + name.length + 1).u16(0, AF_UNIX);
address.bytes.set(name, 2);
call("bind", [server, address.bytes, address.bytes.length], path);
call("listen", [server, 1], path);

const connection = call("accept4", [server, null, null, SOCK_CLOEXEC], path) as Fd;
const message = receiveMessage(connection, 64 * 1024);
if (typeof message === "number" || message.descriptor === undefined) throw new Error("no descriptor came");
const more = receiveMessage(connection, 16);
if (typeof more === "number" || more.bytes.length > 0) throw new Error("more than one message came");
const listener = message.descriptor;
writeSync(1, `${new TextDecoder().decode(message.bytes)}\n`);

for (;;) {
  const [events = 0] = poll([{ fd: listener, events: POLLIN }], -1);
  if (!(events & POLLIN)) break; // POLLHUP: the container has ended
  const request = new Struct(80);
  if (tryCall("ioctl", [listener, SECCOMP_IOCTL_NOTIF_RECV, request.bytes]) < 0) continue; // its caller was killed
  const answer = new Struct(24)
    .u64(0, request.getU64(0))
    .i32(16, -Number(errno))
    .u32(20, errno === "0" ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0);
  tryCall("ioctl", [listener, SECCOMP_IOCTL_NOTIF_SEND, answer.bytes]);
}
