import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../syscalls/testing/saying.ts";
import { commands } from "./commands.ts";
import { candidates, completionScript } from "./completion.ts";

const completion = suite("completion");
const all = commands.map(({ name }) => name);

completion("offers commands first", () => {
  assert.equal(candidates(["runt", ""]), all);
  assert.equal(candidates(["runt", "cr"]), all); // the shell takes those that begin so
  assert.equal(candidates(["runt", "--root", "/x", ""]), all);
  assert.equal(candidates(["runt", "help", ""]), all);
});

completion("offers global options in front of the command, and the command's behind it", () => {
  const global = candidates(["runt", "-"]);
  assert.ok(global.includes("--root") && !global.includes("--bundle"));
  const own = candidates(["runt", "--debug", "create", "--"]);
  assert.ok(own.includes("--bundle") && own.includes("-b") && !own.includes("--root"));
});

completion("offers the values of an option that has few, and files for others", () => {
  assert.equal(candidates(["runt", "--log-format", ""]), ["text", "json"]);
  assert.equal(candidates(["runt", "list", "-f", ""]), ["table", "json"]);
  assert.equal(candidates(["runt", "create", "--bundle", ""]), []);
  assert.equal(candidates(["runt", "create", ""]), []);
  assert.equal(candidates(["runt", "completion", ""]), ["bash", "zsh", "fish"]);
});

completion("knows three shells, and takes $SHELL when none is named", () => {
  assert.match(completionScript("runc", "bash"), "complete -o bashdefault -o default -F _runc runc");
  assert.match(completionScript("runt", undefined, "/usr/bin/zsh"), /^#compdef runt$/m);
  assert.match(completionScript("runt", "fish"), "complete -c runt");
  assert.match(completionScript("runt", undefined, "/bin/dash"), "COMPREPLY");
  assert.throws(() => completionScript("runt", "csh"), saying("no completion for csh"));
});

completion.run();
