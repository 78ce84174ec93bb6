import { suite } from "uvu";
import * as assert from "uvu/assert";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { start } from "../../syscalls/testing/programs.ts";
import type { Pid } from "../../syscalls/types.ts";

// As in syscalls/faults.test.ts: it has to be there before the door is.
globalThis.FAULT_INJECTION = true;
const { armFaults } = await import("../../syscalls/faults.ts");
const { fdAt, pipe } = await import("../../syscalls/descriptor.ts");
const { CWD, close, openat, tryOpenat } = await import("../../syscalls/open.ts");
const { tryWrite } = await import("../../syscalls/io.ts");
const { handleOf, openDirectory, openHandle, pollOrEnd, trySignal } = await import("./process_handle.ts");

const handles = suite("process handles");

type Handle = NonNullable<ReturnType<typeof openHandle>>;

/** Something that runs, and its handle; `refused` are calls that a filter refuses. */
function holding(refused: string, body: (handle: Handle, end: () => void) => void): void {
  const child = start(["sleep", "60"]);
  try {
    armFaults(refused);
    const handle = openHandle(child.pid);
    assert.ok(handle !== undefined);
    body(handle, () => child.end());
    close(handle.fd);
  } finally {
    armFaults("none");
    child.end();
  }
}

const ways = {
  "a pidfd": ["none", true],
  "a directory, without pidfd_open": ["pidfd_open:*:ENOSYS", false],
  "a pidfd, without pidfd_send_signal": ["pidfd_send_signal:*:EPERM", true],
  "a directory, without either": ["pidfd_open:*:EPERM,pidfd_send_signal:*:EPERM", false],
} as const;

for (const [title, [refused, isPidfd]] of Object.entries(ways)) {
  handles(`${title}: signals reach it, and its end is seen`, () => {
    holding(refused, (handle) => {
      assert.is(handle.isPidfd, isPidfd);
      assert.is(trySignal(handle, 0), 0);
      assert.equal(pollOrEnd([], handle, 0), { events: [], ended: false });
      assert.is(trySignal(handle, 9), 0);
      assert.is(pollOrEnd([], handle, -1).ended, true);
    });
  });

  handles(`${title}: after its end its number means nobody`, () => {
    holding(refused, (handle, end) => {
      end();
      assert.is(trySignal(handle, 0), -3); // ESRCH
      assert.is(pollOrEnd([], handle, -1).ended, true);
      assert.throws(() => close(openDirectory(handle, openat(CWD, "/proc", 0))), /ESRCH|ENOENT/);
    });
  });

  handles(`${title}: its directory, and what others have to say`, () => {
    holding(refused, (handle) => {
      const procfs = openat(CWD, "/proc", 0);
      const directory = openDirectory(handle, procfs);
      const namespace = tryOpenat(directory, "ns/pid", 0);
      assert.ok(namespace >= 0);
      const [reader, writer] = pipe();
      tryWrite(writer, new Uint8Array(1));
      const request = { fd: reader, events: POLLIN };
      assert.equal(pollOrEnd([request], handle, -1), { events: [POLLIN], ended: false });
      for (const fd of [procfs, directory, fdAt(namespace), reader, writer]) close(fd);
    });
  });
}

handles("nobody has this number", () => {
  assert.is(openHandle((2 ** 30) as Pid), undefined);
  armFaults("pidfd_open:*:EPERM");
  assert.is(openHandle((2 ** 30) as Pid), undefined);
  armFaults("pidfd_open:1:EMFILE");
  assert.throws(() => openHandle(1 as Pid), /EMFILE/);
  armFaults("none");
});

handles("a child is held by the pidfd that it was born with", () => {
  assert.equal(handleOf({ pid: 7 as Pid, pidfd: fdAt(3) }), { pid: 7, fd: 3, isPidfd: true });
});

handles.run();
