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
  const [always, never] = [() => true, () => false];
  const system = { root: "/run/runt", rootMode: 0o700 };
  const user = { XDG_RUNTIME_DIR: "/run/user/1000" };
  assert.equal(defaultRoot({ XDG_RUNTIME_DIR: "/run/user/0" }, never), system);
  assert.equal(defaultRoot(user, always), { root: "/run/user/1000/runt", rootMode: 0o1700 });
  assert.equal(defaultRoot({}, always), system);
  assert.equal(defaultRoot({ XDG_RUNTIME_DIR: "relative" }, always), system);
});
globals.run();
