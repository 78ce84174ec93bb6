import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Undo } from "./undo.ts";

const undo = suite("Undo");

undo("takes back in reverse, once", () => {
  const log: string[] = [];
  const stack = new Undo();
  for (const name of ["first", "second", "third"]) stack.push(name, () => log.push(name));
  stack.run((message) => log.push(message));
  stack.run((message) => log.push(message));
  assert.equal(log, ["third", "second", "first"]);
});

undo("a step that fails is told, and the others still run", () => {
  const log: string[] = [];
  const stack = new Undo();
  stack.push("remove a", () => log.push("a"));
  stack.push("remove b", () => {
    throw new Error("busy");
  });
  stack.push("remove c", () => log.push("c"));
  stack.run((message) => log.push(message));
  assert.equal(log, ["c", "cannot remove b: busy", "a"]);
});

undo("a step may push another", () => {
  const log: string[] = [];
  const stack = new Undo();
  stack.push("outer", () => stack.push("inner", () => log.push("inner")));
  stack.run((message) => log.push(message));
  assert.equal(log, ["inner"]);
});

undo("forgotten steps never run", () => {
  const stack = new Undo();
  stack.push("x", () => assert.unreachable());
  stack.forget();
  stack.run(() => assert.unreachable());
});

undo.run();
