import "../conformance/bun_host.ts";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../cmd/commands.ts";
import { commandPage, programPage, roff } from "./man.ts";

const man = suite("man pages");

man("the text of a page leaves roff nothing to obey", () => {
  assert.is(roff(".so x\n'y a\\b --c"), "\\&.so x\n\\&'y a\\eb \\-\\-c");
});

man("the page of a command has all its options", async () => {
  for (const { name, summary, command } of commands) {
    if (command === undefined) continue;
    const page = commandPage(name, summary, command);
    assert.match(page, new RegExp(`^\\.TH RUNT-${name.toUpperCase()} 8`));
    for (const option of Object.keys(command.options))
      assert.ok(page.includes(`\\fB\\-\\-${option.replaceAll("-", "\\-")}\\fR`), `${name} --${option}`);
  }
});

man("the page of the program names all commands", () => {
  for (const { name } of commands) assert.ok(programPage().includes(`\\fB${name}\\fR`), name);
});

man.run();
