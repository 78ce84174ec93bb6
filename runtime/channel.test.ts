import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BadString } from "../syscalls/cstring.ts";
import { OpError } from "../syscalls/error.ts";
import { close } from "../syscalls/open.ts";
import { messagePair, sendMessage } from "../syscalls/socket.ts";
import type { Fd, SpecField } from "../syscalls/types.ts";
import { encodeUtf8 } from "../syscalls/utf8.ts";
import { ask, errorOf, failureOf, go, nextMessage, tellFailure, tellNote } from "./channel.ts";
import { RuntimeError, safetyViolation } from "./errors.ts";

const sync = suite("sync");

function withPair(body: (parent: Fd, child: Fd) => void): void {
  const [parent, child] = messagePair();
  try {
    body(parent, child);
  } finally {
    close(parent);
    close(child);
  }
}

sync("each message is one packet, in order", () => {
  withPair((parent, child) => {
    tellNote(child, "a note");
    go(parent); // before the question: the child must not wait for ever in this test
    assert.is(ask(child, "hooks"), true);
    assert.equal(nextMessage(parent), { note: "a note" });
    assert.equal(nextMessage(parent), { request: "hooks" });
  });
});

sync("the end of the other side is the end, not an error", () => {
  const [parent, child] = messagePair();
  close(child);
  assert.is(nextMessage(parent), undefined);
  close(parent);
  const [gone, alone] = messagePair();
  close(gone);
  tellFailure(alone, new Error("nobody listens")); // must not throw
  close(alone);
});

sync("a child that asks while its parent ends is told no", () => {
  const [parent, child] = messagePair();
  sendMessage(child, encodeUtf8("{}")); // unread, so that the close resets the connection
  close(parent);
  assert.throws(() => ask(child, "ready"), /EPIPE|ECONNRESET/);
  close(child);
});

for (const [title, error] of [
  ["a failed call", OpError.from("mount", "/a\nb", 16, "a hint").askedBy("mounts[3]" as SpecField)],
  ["a refusal", new RuntimeError("invalid-argument", "no such thing")],
  ["an attack", safetyViolation("/x leads out")],
] as const)
  sync(`a failure arrives whole: ${title}`, () => {
    withPair((parent, child) => {
      tellFailure(child, error);
      const message = nextMessage(parent);
      assert.ok(message !== undefined && "failure" in message);
      const arrived = errorOf(message.failure);
      assert.is(arrived.message, error.message);
      assert.is(arrived.name, error.name);
      if (error instanceof RuntimeError) assert.is((arrived as RuntimeError).kind, error.kind);
      else assert.equal((arrived as OpError).data, error.data);
    });
  });

sync("anything can be a failure", () => {
  assert.equal(failureOf(new BadString("a NUL")), { kind: "invalid-argument", message: "a NUL" });
  assert.equal(failureOf(new TypeError("x")), { kind: "child", message: "x" });
  assert.equal(failureOf("text"), { kind: "child", message: "text" });
  assert.equal(failureOf(undefined), { kind: "child", message: "undefined" });
});

sync("what is too long for a packet is said to be", () => {
  withPair((parent, child) => {
    tellFailure(child, new Error("x".repeat(70_000)));
    assert.equal(nextMessage(parent), { failure: { kind: "child", message: "an error too long to report" } });
  });
});

sync.run();
