import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { messagePair, receiveMessage, sendMessage } from "../../syscalls/socket.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { decodeUtf8, encodeUtf8 } from "../../syscalls/utf8.ts";
import { type RequestMessage, tellFailure, tellNote } from "../channel.ts";
import { RuntimeError } from "../errors.ts";
import { type RequestHandlers, serve } from "./serve.ts";

const serving = suite("serve");

/** Serves what a child has said that does not wait for its answers. */
function served(say: (child: Fd) => void, handlers: RequestHandlers, keep?: (child: Fd) => void) {
  const notes: string[] = [];
  const [channel, child] = messagePair();
  try {
    say(child);
    const ready = serve({ channel, pid: 7 as Pid, debugLog: (note) => notes.push(note) }, handlers);
    keep?.(child);
    return { ready, notes };
  } finally {
    close(channel);
    close(child);
  }
}

const request = (child: Fd, message: RequestMessage): void =>
  sendMessage(child, encodeUtf8(JSON.stringify(message)));

function answerTo(child: Fd): { readonly text: string; readonly descriptor: Fd | undefined } {
  const answer = receiveMessage(child, 16);
  if (typeof answer === "number") throw new Error(`recvmsg: ${answer}`);
  return { text: decodeUtf8(answer.bytes), descriptor: answer.descriptor };
}

serving("each request by its own handler, until the child is ready, which is left to the caller", () => {
  const done: string[] = [];
  const { ready, notes } = served(
    (child) => {
      tellNote(child, "a note");
      request(child, { request: "limits" });
      request(child, { request: "source", mount: 3 });
      request(child, { request: "hooks" });
      request(child, { request: "ready" });
    },
    {
      limits: () => void done.push("limits"),
      source: ({ mount }) => {
        done.push(`source ${mount}`);
        return openat(CWD, "/dev/null", 0);
      },
    },
    (child) => {
      assert.equal(answerTo(child), { text: "go", descriptor: undefined });
      const { text, descriptor } = answerTo(child);
      assert.is(text, "go");
      assert.is.not(descriptor, undefined);
      if (descriptor !== undefined) close(descriptor);
      // Without a handler it goes on all the same.
      assert.equal(answerTo(child), { text: "go", descriptor: undefined });
    },
  );
  assert.is(ready, true);
  assert.equal(notes, ["a note"]);
  assert.equal(done, ["limits", "source 3"]);
});

serving("the end of the channel before that", () => {
  const [channel, child] = messagePair();
  close(child);
  assert.is(serve({ channel, pid: 7 as Pid, debugLog: () => undefined }, {}), false);
  close(channel);
});

serving("the failure of the child is thrown", () => {
  const failing = () => served((child) => tellFailure(child, new RuntimeError("child", "no such thing")), {});
  assert.throws(failing, /no such thing/);
});

serving.run();
