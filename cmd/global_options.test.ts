import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../syscalls/testing/saying.ts";
import { getcwd } from "../syscalls/working_directory.ts";
import { checkGlobals, defaultRoot, logSettings, readGlobals } from "./global_options.ts";

const globals = suite("global options");

globals("end at the command", () => {
  const { options, args } = readGlobals([
    "--log-format=json",
    "--log",
    "/l",
    "-root",
    "/r",
    "kill",
    "--all",
    "a",
  ]);
  assert.equal(logSettings(options), { path: "/l", format: "json", debug: false });
  assert.is(checkGlobals(options).root, "/r");
  assert.equal(args, ["kill", "--all", "a"]);
});

const refused: [string[], string][] = [
  [["--root", "/"], "Option --root argument should not be set to /"],
  [["--root", "/x/.."], "Option --root argument should not be set to /"],
  [["--root="], "Option --root argument should not be empty"],
  [["--rootless", "maybe"], "invalid value for --rootless: maybe"],
];
for (const [argv, message] of refused)
  globals(`refuse ${argv.join(" ")}`, () =>
    assert.throws(() => checkGlobals(readGlobals(argv).options), saying(message)),
  );

globals("refuse an unknown log format with runc's words", () => {
  assert.throws(
    () => logSettings(readGlobals(["--log-format", "xml"]).options),
    saying("invalid log-format: xml"),
  );
});

for (const [text, rootless] of [
  ["", "auto"],
  ["AUTO", "auto"],
  ["1", true],
  ["True", true],
  ["f", false],
] as const)
  globals(`--rootless=${text}, as Go reads it`, () =>
    assert.is(checkGlobals(readGlobals([`--rootless=${text}`]).options).rootless, rootless),
  );

globals("an empty --log-format is as none", () => {
  assert.is(logSettings(readGlobals(["--log-format="]).options).format, "text");
});

globals("make relative paths absolute", () => {
  assert.is(checkGlobals(readGlobals(["--root", "a/../b"]).options).root, `${getcwd()}/b`);
});

globals("keep an ordinary user's containers in the user's runtime directory", () => {
  assert.is(defaultRoot(0, "/run/user/0"), "/run/runt");
  assert.is(defaultRoot(1000, "/run/user/1000"), "/run/user/1000/runt");
  assert.is(defaultRoot(1000, undefined), "/run/runt");
  assert.is(defaultRoot(1000, "relative"), "/run/runt");
});
globals.run();
