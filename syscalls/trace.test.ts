import { suite } from "uvu";
import * as assert from "uvu/assert";
import { monotonicNow } from "./clock.ts";
import { memfdCreate } from "./descriptor.ts";
import { readToEnd, seekTo, tryRead } from "./io.ts";
import { close, tryOpenat } from "./open.ts";
import { setTrace, setTraceField, setTraceLabel, traceDescriptor, traceOther, tracing } from "./trace.ts";
import type { Fd } from "./types.ts";
import { decodeUtf8 } from "./utf8.ts";

const trace = suite("trace");

/** What is traced during `act`, without the times: the moment before and the duration after each call. */
function traced(act: () => void): string {
  const fd = memfdCreate("trace");
  setTrace(fd);
  try {
    act();
  } finally {
    setTrace(undefined);
    setTraceLabel("");
    setTraceField("");
  }
  seekTo(fd, 0);
  const text = decodeUtf8(readToEnd(fd));
  close(fd);
  return text.replace(/<[\d.]+us>/g, "<time>").replace(/^\d+\.\d{3} /gm, "");
}

trace("a call with its arguments, result and time", () => {
  const text = traced(() => {
    tryOpenat(-100 as Fd, "/no\nne", 0);
    tryRead(-1 as Fd, new Uint8Array(16));
  });
  assert.is(
    text,
    'openat(AT_FDCWD, "/no\\nne", O_RDONLY|O_CLOEXEC, 0) = -1 ENOENT <time>\nread(-1, [16 bytes], 16) = -1 EBADF <time>\n',
  );
});

trace("label and field", () => {
  const text = traced(() => {
    setTraceLabel("[init] ");
    setTraceField("mounts[0]");
    traceOther("dbus_call", ["a", "b"], 0, monotonicNow());
    traceOther("dbus_call", ["c"], 2, monotonicNow());
  });
  assert.is(
    text,
    '[init] dbus_call("a", "b") = 0 <time>  # mounts[0]\n[init] dbus_call("c") = -1 ENOENT <time>  # mounts[0]\n',
  );
});

trace("off by default, and silent then", () => {
  assert.is(tracing(), false);
  assert.is(traceDescriptor(), undefined);
  traceOther("dbus_call", [], 0, 0n);
});

trace("the clock goes forward", () => {
  const first = monotonicNow();
  assert.ok(monotonicNow() >= first);
  assert.ok(first > 0n);
});

trace.run();
