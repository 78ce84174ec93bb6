// A stand-in for criu, to be had where the real one does not run: it speaks the RPC on descriptor 3, notes every request
// as a line of JSON in $FAKE_CRIU_NOTES, and does what $FAKE_CRIU says. A checkpoint ends the process, a restore starts
// one that sleeps.
import { spawn } from "node:child_process";
import { appendFileSync, readlinkSync, readSync, writeFileSync, writeSync } from "node:fs";
import { request, response } from "./rpc.ts";

const SOCKET = 3;
const [conduct = "", argument = ""] = (process.env.FAKE_CRIU ?? "").split(":");

type Request = {
  readonly type: string;
  readonly opts?: { readonly pid?: number; readonly log_file?: string; readonly work_dir_fd?: number };
};

function receive(): Request | undefined {
  const buffer = Buffer.alloc(1 << 20);
  const count = readSync(SOCKET, buffer);
  if (count === 0) return undefined;
  const message = request.toObject(request.decode(buffer.subarray(0, count)), {
    enums: String,
    longs: Number,
  });
  if (process.env.FAKE_CRIU_NOTES !== undefined)
    appendFileSync(process.env.FAKE_CRIU_NOTES, `${JSON.stringify(message)}\n`);
  return message as Request;
}

function send(message: Readonly<Record<string, unknown>>): void {
  const problem = response.verify(response.fromObject({ success: true, ...message }));
  if (problem !== null) throw new Error(problem);
  writeSync(SOCKET, response.encode(response.fromObject({ success: true, ...message })).finish());
}

/** False when the runtime has hung up instead of answering. */
function notify(script: string, pid?: number): boolean {
  send({ type: "NOTIFY", notify: { script, pid } });
  return receive() !== undefined;
}

const log = ({ opts = {} }: Request, text: string): void =>
  writeFileSync(`/proc/self/fd/${opts.work_dir_fd ?? 4}/${opts.log_file}`, text);

/** What goes wrong, by the name of the conduct; false lets it go on. */
function misbehave(asked: Request): boolean {
  if (conduct === "refuse") {
    log(asked, "(00.001) Info: all well\n(00.002) Error (criu/fake.c:1): Can't do that\n(00.003) Done\n");
    send({
      type: asked.type,
      success: false,
      cr_errno: 16,
      cr_errmsg: "Error (criu/fake.c:1): Can't do that\n",
    });
    process.exit(1);
  }
  if (conduct === "die") {
    notify("network-lock");
    log(asked, "(00.001) Dumping task\n");
    process.kill(process.pid, "SIGKILL");
  }
  if (conduct === "garbage") writeSync(SOCKET, "garbage");
  if (conduct === "late") {
    // Only when it was done already.
    process.exitCode = 3;
    return false;
  }
  return conduct === "garbage";
}

function dump(asked: Request): void {
  log(asked, "");
  if (!notify("pre-dump") || !notify("post-dump")) process.exit(1);
  if (conduct !== "late" && conduct !== "spare") process.kill(asked.opts?.pid ?? -1, "SIGKILL");
  send({ type: asked.type });
}

function restore(asked: Request): void {
  log(asked, "");
  // With mounts of its own, which the runtime may restrict.
  const words = ["--mount", "/bin/sleep", "1000"];
  const init = spawn("/usr/bin/unshare", words, { stdio: "ignore", detached: true });
  const mounts = (pid: number | "self" | undefined) => readlinkSync(`/proc/${pid}/ns/mnt`);
  while (mounts(init.pid) === mounts("self")) Bun.sleepSync(5);
  init.unref();
  const undo = () => {
    init.kill("SIGKILL");
    process.exit(1);
  };
  if (!notify("setup-namespaces", init.pid)) undo();
  if (conduct !== "lose" && !notify("post-restore", init.pid)) undo();
  send({ type: asked.type, restore: { pid: init.pid } });
}

// The runtime has hung up, and minds no words of ours.
process.on("uncaughtException", ({ message }) => {
  if (!/ECONNRESET|EPIPE/.test(message)) console.error(message);
  process.exit(1);
});

const asked = receive();
if (asked === undefined) process.exit(1);
if (asked.type === "VERSION") {
  const [major = 3, minor = 19, sublevel = 0] = conduct === "version" ? argument.split(".").map(Number) : [];
  send({ type: "VERSION", version: { major_number: major, minor_number: minor, sublevel } });
} else if (asked.type === "FEATURE_CHECK") {
  send({
    type: "FEATURE_CHECK",
    features: conduct === "featureless" ? {} : { mem_track: true, lazy_pages: true },
  });
} else if (!misbehave(asked)) {
  if (asked.type === "RESTORE") restore(asked);
  else if (asked.type === "PRE_DUMP") {
    log(asked, "");
    send({ type: asked.type });
    receive();
    process.exitCode = 1;
  } else dump(asked);
}
