import { suite } from "uvu";
import * as assert from "uvu/assert";
import { monotonicNow } from "./clock.ts";
import { cstr } from "./cstring.ts";
import { memfdCreate } from "./descriptor.ts";
import { readToEnd, seekTo, tryRead } from "./io.ts";
import { close, tryOpenat } from "./open.ts";
import { setTrace, setTraceField, setTraceLabel, traceCall, traceDescriptor, tracing } from "./trace.ts";
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
    setTrace(-1);
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
    'openat(AT_FDCWD, "/no\\nne", 0x80000, 0) = -1 ENOENT <time>\nread(-1, [16 bytes], 16) = -1 EBADF <time>\n',
  );
});

trace("label and field", () => {
  const text = traced(() => {
    setTraceLabel("[init] ");
    setTraceField("mounts[0]");
    traceCall("mount", [cstr("a"), null, 0x1234, 7n], 0, monotonicNow());
  });
  assert.is(text, '[init] mount("a", NULL, 4660, 0x7) = 0 <time>  # mounts[0]\n'.replace("4660", "0x1234"));
});

trace("off by default, and silent then", () => {
  assert.is(tracing(), false);
  assert.is(traceDescriptor(), -1);
  traceCall("mount", [], 0, 0n);
});

trace("the clock goes forward", () => {
  const first = monotonicNow();
  assert.ok(monotonicNow() >= first);
  assert.ok(first > 0n);
});

trace.run();
