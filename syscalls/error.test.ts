import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isErrno, OpError } from "./error.ts";
import type { SpecField } from "./types.ts";

const errors = suite("OpError");

errors("operation, object, errno and its meaning", () => {
  assert.is(OpError.from("open", "/x", 2).message, "open /x: ENOENT (no such file or directory)");
  assert.is(OpError.from("sync", "", 5).message, "sync: EIO (input/output error)");
  assert.is(
    OpError.from("open", "/x", 13, "try root").message,
    "open /x: EACCES (permission denied) (try root)",
  );
});

errors("the first field that asked for it stays", () => {
  const error = OpError.from("mount", "/proc", 1).askedBy("mounts[0]" as SpecField);
  const text = "mount /proc: EPERM (operation not permitted), asked for by mounts[0]";
  assert.is(error.message, text);
  assert.is(error.askedBy("mounts[1]" as SpecField).message, text);
  assert.instance(error.cause, OpError);
});

errors("during: another name for what was being done", () => {
  const error = OpError.from("fsopen", "proc", 19);
  assert.is(error.during("mount proc on", "/proc").message, "mount proc on /proc: ENODEV (no such device)");
  assert.is(error.during("mount").message, "mount proc: ENODEV (no such device)");
});

errors("because: the first cause that is told stays", () => {
  const error = OpError.from("setns", "/n", 22).because("not below");
  assert.is(error.message, "setns /n: EINVAL (invalid argument) (not below)");
  assert.is(error.because("another").message, error.message);
});

errors("an errno without a name", () => {
  assert.match(OpError.from("ioctl", "fd 3", 4095).message, /4095/);
});

errors("the data survives JSON, and is the error again", () => {
  const error = OpError.from("open", "/a\nb", 40, "hint").askedBy("root.path" as SpecField);
  const copy = new OpError(JSON.parse(JSON.stringify(error.data)));
  assert.is(copy.message, error.message);
});

errors("isErrno asks for the name of an OpError", () => {
  assert.ok(isErrno(OpError.from("open", "", 2), "EPERM", "ENOENT"));
  assert.not(isErrno(OpError.from("open", "", 2), "EPERM"));
  assert.not(isErrno(new Error("ENOENT"), "ENOENT"));
  assert.not(isErrno(undefined, "ENOENT"));
});

errors.run();
