import { suite } from "uvu";
import * as assert from "uvu/assert";
import { close } from "../../syscalls/open.ts";
import { messagePair, sendMessage } from "../../syscalls/socket.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { receiveMaster } from "./attach.ts";

const master = suite("receiveMaster");

const message = "the container's process did not send the master of its terminal";
const refused = (error: Error): boolean => error.message === message;

master("a process that ends without a word", () => {
  const [ours, theirs] = messagePair();
  close(theirs);
  assert.throws(() => receiveMaster(ours), refused);
});

master("a message without a descriptor", () => {
  const [ours, theirs] = messagePair();
  sendMessage(theirs, encodeUtf8("/dev/pts/0"));
  assert.throws(() => receiveMaster(ours), refused);
  close(theirs);
});

master.run();
