// What `--trace` shows of a whole create: everything by name.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, succeed } from "../harness.ts";

const traces = conformance("--trace");

traces(
  "flags, modes, signals, structures and descriptors by name, and nothing of them as a bare number",
  async (c) => {
    c.configure((spec) => {
      spec.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 512, hard: 512 }];
    });
    const file = join(c.dir, "trace");
    succeed(await c.runt(["--trace", file, "run", "--bundle", c.bundle, c.id]));
    const text = readFileSync(file, "utf8");
    for (const shown of [
      `AT_FDCWD, "${c.bundle}/config.json", O_RDONLY|O_CLOEXEC, 0) = `,
      / = \d+ <\/\S+\/config\.json> </,
      /mkdirat\(\d+ <\/\S+>, "\S+", 0711\)/,
      /flock\(\d+ <\S+>, LOCK_EX\)/,
      /clone3\(\{flags=CLONE_PIDFD\|CLONE_NEWPID.*, exit_signal=SIGCHLD/,
      /unshare\(CLONE_NEWNS\|CLONE_NEWUTS\|CLONE_NEWIPC/,
      "prctl(PR_SET_PDEATHSIG, SIGKILL, ",
      /fsconfig\(\d+ <anon_inode:\[fscontext\]>, FSCONFIG_SET_STRING, "source", "proc", 0\)/,
      /move_mount\(\d+ <[^>]*>, "", \d+ <\/\S+\/proc>, "", MOVE_MOUNT_F_EMPTY_PATH\|MOVE_MOUNT_T_EMPTY_PATH\)/,
      /openat2\(\d+ <\/\S+>, "proc", \{flags=O_CLOEXEC\|O_PATH, resolve=\S+RESOLVE_IN_ROOT\}, 24\)/,
      /mknodat\(\d+ <\S+>, "null", S_IFCHR\|0666, 1:3\)|fchmodat\(\d+ <\S+>, "null", 0666\)/,
      "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=512, rlim_max=512}, NULL)",
      "capset([8 bytes], {effective=CAP_",
      "rt_sigprocmask(SIG_SETMASK, [], NULL, 8)",
      /waitid\(P_\w+, \d+, \{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=\d+\}/,
      /close\(\d+ <\/\S+>\)/,
    ])
      assert.match(text, shown);
    // What has no name here: the address of nothing, a version, a mask of the file system's, a probe of all flags.
    const bare = text
      .split("\n")
      .filter((line) => /[(, =|]0x[0-9a-f]+/.test(line.replaceAll(/"(\\.|[^"\\])*"/g, '""')))
      .filter(
        (line) => !/(open_tree|move_mount|mount_setattr)\(-1, NULL|fstatfs\(|KEYCTL_SETPERM/.test(line),
      );
    assert.equal(bare, []);
  },
  { needs: ["built"] },
);

traces.run();
