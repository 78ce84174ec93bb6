import { suite } from "uvu";
import * as assert from "uvu/assert";
import { field } from "./field.ts";
import { quote } from "./quote.ts";

const named = suite("field");

for (const [keys, name] of [
  [[], ""],
  [["mounts", 3, "options"], "mounts[3].options"],
  [["linux", "sysctl", "net.core.somaxconn"], 'linux.sysctl["net.core.somaxconn"]'],
  [["annotations", ""], 'annotations[""]'],
  [["annotations", "a\n\u001b[0m"], 'annotations["a\\n\\u001b[0m"]'],
] as const)
  named(`${JSON.stringify(keys)} is ${name}`, () => assert.is(field(...keys), name));

named.run();

const quoted = suite("quote");

quoted("control characters, C1 controls and turns of direction do not reach a terminal", () => {
  assert.is(quote('"\u0007\u009b\u202e\0'), '"\\"\\u0007\\u009b\\u202e\\u0000"');
});

quoted("long text is cut after 80 characters", () => {
  assert.is(quote("a".repeat(81)), `"${"a".repeat(80)}…"`);
});

quoted.run();
