import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { pipe } from "../../syscalls/descriptor.ts";
import { readToEnd } from "../../syscalls/io.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { tryKill } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { namesIn, readFile, readText, writeFile } from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { decodeUtf8 } from "../../syscalls/utf8.ts";
import { RuntimeError } from "../errors.ts";
import { decodeMessage } from "./message.ts";
import { answer, take, withPeer } from "./peer_fixture.ts";
import { criu_req, RequestType } from "./rpc.ts";
import { type Program, Swrk } from "./swrk.ts";

const swrk = suite("criu swrk");

const dump = { type: RequestType.DUMP, opts: { images_dir_fd: 4 } };
const done = answer({ type: RequestType.DUMP, success: true });
const notify = (script: string, pid?: number): string =>
  answer({ type: RequestType.NOTIFY, success: true, notify: { script, pid } });

const ask = (criu: Program, notified?: Parameters<Swrk["request"]>[1]): unknown => {
  const worker = Swrk.start(criu);
  try {
    return worker.request(dump, notified);
  } finally {
    worker.end();
  }
};

const openHere = (): string[] => namesIn("/proc/self/fd");

swrk("is told what to do on descriptor 3, and its answer comes back", () => {
  withPeer([`echo "$@" >words`, take("request"), done], (criu, folder) => {
    assert.equal(ask(criu), { type: RequestType.DUMP, success: true });
    assert.is(readText(`${folder}/words`), "swrk 3\n");
    assert.equal(decodeMessage(criu_req, readFile(`${folder}/request`)), dump);
  });
});

swrk("each notification is done before it is answered", () => {
  const lines = [take(), notify("pre-dump"), take("first"), notify("post-restore", 7), take("second"), done];
  withPeer(lines, (criu, folder) => {
    const seen: string[] = [];
    ask(criu, ({ script, pid, descriptor }) => {
      assert.is(descriptor, undefined);
      seen.push(`${script} ${pid}`);
    });
    assert.equal(seen, ["pre-dump undefined", "post-restore 7"]);
    for (const file of ["first", "second"])
      assert.equal(decodeMessage(criu_req, readFile(`${folder}/${file}`)), {
        type: RequestType.NOTIFY,
        notify_success: true,
      });
  });
});

swrk("what fails at a notification ends criu without an answer to it", () => {
  withPeer([take(), notify("setup-namespaces"), `${take("answer")}; wc -c <answer >size`], (criu, folder) => {
    const failing = () => {
      throw new RuntimeError("hook", "a hook failed");
    };
    assert.throws(() => ask(criu, failing), "a hook failed");
    assert.is(readText(`${folder}/size`).trim(), "0");
  });
});

for (const [title, lines, message] of [
  ["ends at once", ["exit 1"], "criu ended before it had answered"],
  ["ends when it was asked", [take(), "exit 0"], "criu ended before it had answered"],
  ["is killed", [take(), "kill -KILL $$"], "criu ended before it had answered"],
  [
    "ends in the middle",
    [take(), notify("network-lock"), take(), "exit 3"],
    "criu ended before it had answered",
  ],
  ["says garbage", [take(), "echo garbage >&3"], "criu sent a message that cannot be read"],
  [
    "answers something else",
    [take(), answer({ type: RequestType.VERSION, success: true })],
    "criu answered DUMP by VERSION",
  ],
  [
    "notifies of nothing",
    [take(), answer({ type: RequestType.NOTIFY, success: true })],
    "a notification without a name",
  ],
  [
    "says too much",
    [take(), `dd if=/dev/zero bs=70000 count=1 >&3 2>/dev/null`],
    "criu sent a message that is too long",
  ],
  [
    "refuses",
    [take(), answer({ type: RequestType.DUMP, success: false, cr_errno: 16, cr_errmsg: "busy\nmore" })],
    "criu failed: type DUMP errno 16: busy",
  ],
  ["says nothing of success", [take(), answer({ type: RequestType.DUMP })], "criu failed: type DUMP errno 0"],
  [
    "fails at a notification",
    [take(), answer({ type: RequestType.NOTIFY, success: false })],
    "criu failed: type NOTIFY errno 0",
  ],
] as const)
  swrk(`a criu that ${title}`, () => {
    withPeer(lines, (criu) => {
      const before = openHere();
      assert.throws(
        () => ask(criu),
        (error: unknown) => error instanceof RuntimeError && error.message.includes(message),
      );
      assert.equal(openHere(), before);
    });
  });

swrk("a child that has its socket and outlives it does not make it seem alive", () => {
  withPeer([take(), "sleep 60 & echo $! >child", "exit 1"], (criu, folder) => {
    assert.throws(() => ask(criu), "criu ended before it had answered");
    assert.is(tryKill(Number(readText(`${folder}/child`)), SIGKILL), 0);
  });
});

swrk("one that cannot be started says why", () => {
  withPeer([], (criu, folder) => {
    assert.throws(() => Swrk.start({ ...criu, path: `${folder}/none` as HostPath }), "exec criu: ENOENT");
    writeFile(`${folder}/text`, "no program", 0o755);
    assert.throws(() => Swrk.start({ ...criu, path: `${folder}/text` as HostPath }), "exec criu: ENOEXEC");
  });
});

swrk("what is thrown while its descriptors are opened is thrown here", () => {
  withPeer([], (criu) => {
    const descriptors = () => {
      throw new RuntimeError("unsupported", "not today");
    };
    assert.throws(() => Swrk.start(criu, { descriptors }), "not today");
  });
});

swrk(
  "streams and descriptors are in their places, whatever numbers they had, and nothing else is open",
  () => {
    const list = "ls /proc/$$/fd >open; cat <&4 >fourth; cat <&5 >fifth; echo out; echo err >&2";
    withPeer([take(), list, done], (criu, folder) => {
      for (const name of ["a", "b"]) writeFile(`${folder}/${name}`, name);
      const [reading, writing] = pipe();
      const input = openat(CWD, "/dev/null", O_RDONLY);
      // In the wrong order, so that each stands where another belongs.
      const [b, a] = ["b", "a"].map((name) => openat(CWD, `${folder}/${name}`, O_RDONLY));
      assert.ok(a !== undefined && b !== undefined);
      const worker = Swrk.start(criu, { streams: [input, writing, writing], descriptors: () => [a, b] });
      for (const fd of [a, b, input, writing]) close(fd);
      worker.request(dump);
      worker.end();
      assert.is(decodeUtf8(readToEnd(reading)), "out\nerr\n");
      close(reading);
      assert.is(readText(`${folder}/fourth`), "a");
      assert.is(readText(`${folder}/fifth`), "b");
      // 10 is the shell's own, of its script.
      const open = readText(`${folder}/open`).trim().split("\n").map(Number);
      assert.equal(open.filter((fd) => fd < 10).sort(), [0, 1, 2, 3, 4, 5]);
    });
  },
);

swrk("without streams it has the null device", () => {
  withPeer([take(), 'seen=$(ls -l /proc/$$/fd); echo "$seen" >streams', done], (criu, folder) => {
    ask(criu);
    assert.is(readText(`${folder}/streams`).match(/ [012] -> \/dev\/null$/gm)?.length, 3);
  });
});

swrk("it is in a group of processes of its own, if that is wanted", () => {
  const group = (pid: string): string =>
    readText(`/proc/${pid}/stat`).replace(/^.*\)/, "").split(" ")[3] ?? "";
  for (const ownGroup of [false, true])
    withPeer([take(), "cat /proc/$$/stat >stat", done], (criu, folder) => {
      const worker = Swrk.start(criu, { ownGroup });
      worker.request(dump);
      const pid = worker.pid;
      worker.end();
      const [, , there] = readText(`${folder}/stat`)
        .replace(/^.*\) /, "")
        .split(" ");
      assert.is(there, ownGroup ? String(pid) : group("self"));
    });
});

swrk("to end it twice is to end it once, and its status is told", () => {
  withPeer([take(), done, "exit 5"], (criu) => {
    const worker = Swrk.start(criu);
    worker.request(dump);
    assert.is(worker.end()?.status, 5);
    assert.is(worker.end(), undefined);
  });
});

swrk.run();
