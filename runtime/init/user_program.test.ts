import { suite } from "uvu";
import * as assert from "uvu/assert";
import { geteuid } from "../../syscalls/identity.ts";
import {
  join,
  makeDirectories,
  makeDirectory,
  makeTemporary,
  readText,
  removeTree,
  setMode,
  writeFile,
} from "../../syscalls/testing/files.ts";
import { runForked } from "../../syscalls/testing/programs.ts";
import { saying } from "../../syscalls/testing/saying.ts";
import { chdir, chroot, getcwd } from "../../syscalls/working_directory.ts";
import { enterCwd, findUserProgram, prepareProgram, verifyCwd, withHome } from "./user_program.ts";

const program = suite("findUserProgram");

function inDirectory(body: (dir: string) => void): void {
  const dir = makeTemporary("program-");
  try {
    makeDirectory(join(dir, "bin"));
    makeDirectories(join(dir, "first/tool"));
    makeDirectory(join(dir, "second"));
    for (const file of ["bin/tool", "second/tool"]) writeFile(join(dir, file), "#!/bin/sh\n", 0o755);
    writeFile(join(dir, "bin/plain"), "", 0o644);
    setMode(join(dir, "bin/plain"), 0o644);
    body(dir);
  } finally {
    removeTree(dir);
  }
}

for (const [title, name, path, expected] of [
  ["in PATH", "tool", "PATH=DIR/bin", "DIR/bin/tool"],
  ["the first that can be run", "tool", "PATH=DIR/none:DIR/first:DIR/second:DIR/bin", "DIR/second/tool"],
  ["absolute, whatever PATH is", "DIR/bin/tool", "PATH=", "DIR/bin/tool"],
] as const)
  program(title, () => {
    inDirectory((dir) => {
      const at = (text: string): string => text.replaceAll("DIR", dir);
      assert.is(findUserProgram(at(name), [at(path)]), at(expected));
    });
  });

program("relative to the working directory, by name and by an empty entry of PATH", () => {
  const before = getcwd();
  inDirectory((dir) => {
    chdir(join(dir, "bin"));
    try {
      assert.is(findUserProgram("./tool", []), "./tool");
      assert.is(findUserProgram("tool", ["PATH=/none:"]), "./tool");
    } finally {
      chdir(before);
    }
  });
});

for (const [title, name, env, message] of [
  ["not in PATH", "none", ["PATH=DIR/bin"], 'exec: "none": executable file not found in $PATH'],
  ["no PATH", "tool", [], 'exec: "tool": executable file not found in $PATH'],
  ["an empty PATH", "tool", ["PATH="], 'exec: "tool": executable file not found in $PATH'],
  ["an empty name", "", ["PATH=DIR/bin"], 'exec: "": executable file not found in $PATH'],
  [
    "a file that is not executable, in PATH",
    "plain",
    ["PATH=DIR/bin"],
    'exec: "plain": executable file not found in $PATH',
  ],
  ["no such file", "DIR/none", [], 'exec: "DIR/none": stat DIR/none: no such file or directory'],
  ["below a file", "DIR/bin/tool/x", [], 'exec: "DIR/bin/tool/x": stat DIR/bin/tool/x: not a directory'],
  ["a directory", "DIR/bin", [], 'exec: "DIR/bin": permission denied (it is a directory)'],
  ["not executable", "DIR/bin/plain", [], 'exec: "DIR/bin/plain": permission denied'],
  ["what a terminal would obey", "/\u001b]0;x\u0007", [], 'exec: "/\\u001b]0;x\\u0007": stat /'],
] as const)
  program(`refuses: ${title}`, () => {
    inDirectory((dir) => {
      const at = (text: string): string => text.replaceAll("DIR", dir);
      assert.throws(
        () => findUserProgram(at(name), env.map(at)),
        (error: Error) => error.message.startsWith(at(message)) || assert.unreachable(error.message),
      );
    });
  });

program.run();

const rest = suite("user program");

rest("HOME as it is given; an empty one is as none", () => {
  assert.equal(withHome(["A=1", "HOME=/x"], 0), ["A=1", "HOME=/x"]);
  assert.equal(withHome(["HOME=", "A=1"], 4_000_000_000), ["A=1", "HOME=/"]);
});

rest("HOME from passwd, or / for who is not in it", () => {
  const root = readText("/etc/passwd").match(/^[^:]*:[^:]*:0:(?:[^:]*:){2}([^:]*):/m)?.[1];
  assert.equal(withHome(["A=1"], 0), ["A=1", `HOME=${root}`]);
  assert.equal(withHome([], 4_000_000_000), ["HOME=/"]);
  assert.equal(withHome(["HOMER=x"], 4_000_000_000), ["HOMER=x", "HOME=/"]);
});

rest("a NUL in an argument or a variable is refused", () => {
  assert.throws(() => prepareProgram("/x", ["a\0b"], []), /contains a NUL byte/);
  assert.throws(() => prepareProgram("/x", [], ["A=\0"]), /contains a NUL byte/);
  assert.throws(() => prepareProgram("/x\0", [], []), /contains a NUL byte/);
});

rest("a working directory that cannot be entered, in runc's words", () => {
  assert.throws(
    () => enterCwd("/none"),
    saying('chdir to cwd ("/none") set in config.json failed: no such file or directory (ENOENT)'),
  );
  verifyCwd();
});

const outside = "a working directory outside of the root is refused (CVE-2024-21626)";
if (geteuid() !== 0) {
  console.log(`skip: user_program: ${outside}: not running as root`);
  rest.skip(outside, () => {});
} else
  rest(outside, () => {
    // In a process of its own, which loses its root.
    const { status, stderr } = runForked(() => {
      chdir("/tmp");
      chroot("/proc/self/fdinfo");
      verifyCwd();
      return 0;
    });
    assert.is(status, 70);
    assert.is(
      stderr.trim().replace(/^\w*Error: /, ""),
      "current working directory is outside of container mount namespace root: (unreachable)/tmp",
    );
  });

rest.run();
