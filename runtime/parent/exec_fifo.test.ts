import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { tryRead } from "../../syscalls/io.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import {
  join,
  linkStatOf,
  makeLink,
  makeTemporary,
  removeFile,
  removeTree,
} from "../../syscalls/testing/files.ts";
import { start } from "../../syscalls/testing/programs.ts";
import type { Fd } from "../../syscalls/types.ts";
import { openHandle, type ProcessHandle } from "../proc/process_handle.ts";
import { createExecFifo, isWaiting, openStarter, releaseInit } from "./exec_fifo.ts";

const fifo = suite("exec_fifo");

function inState(body: (state: Fd, dir: string) => void): void {
  const dir = makeTemporary("fifo-");
  const state = openat(CWD, dir, O_RDONLY | O_DIRECTORY);
  try {
    body(state, dir);
  } finally {
    close(state);
    removeTree(dir);
  }
}

fifo("nobody waits: without a fifo, and without a reader", () => {
  inState((state, dir) => {
    assert.is(isWaiting(state), false);
    close(createExecFifo(state));
    assert.is(linkStatOf(join(dir, "exec.fifo")).mode & 0o7777 & ~0o600, 0);
    assert.is(isWaiting(state), false);
    assert.is(openStarter(state), undefined);
  });
});

fifo("who holds it waits, and asking leaves no end of file behind", () => {
  inState((state) => {
    const init = createExecFifo(state);
    for (let i = 0; i < 3; i++) assert.is(isWaiting(state), true);
    assert.is(tryRead(init, new Uint8Array(1)), -11); // EAGAIN: neither a byte nor the end
    close(init);
    assert.is(isWaiting(state), false);
  });
});

fifo("the starter ends when the init process has closed its end, or is dead", () => {
  const child = start(["sleep", "0.1"]);
  inState((state) => {
    const init = createExecFifo(state);
    const starter = openStarter(state);
    assert.ok(starter !== undefined);
    const handle = openHandle(child.pid) as ProcessHandle;
    assert.is(releaseInit(state, starter, handle), ""); // the fifo stays open here: it is the death that ends this
    const byte = new Uint8Array(1);
    assert.is(tryRead(init, byte), 1);
    close(init);
    close(handle.fd);
  });
  child.wait();
});

fifo("a link in its place is refused", () => {
  inState((state, dir) => {
    close(createExecFifo(state));
    removeFile(join(dir, "exec.fifo"));
    makeLink("/dev/null", join(dir, "exec.fifo"));
    assert.throws(() => openStarter(state), /ELOOP/);
  });
});

fifo.run();
