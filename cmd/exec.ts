import { execContainer } from "../runtime/lifecycle/exec.ts";
import { command } from "./command.ts";
import { optionalPath } from "./paths.ts";
import { parseId, parseUser } from "./user.ts";

export const exec = command({
  operands: "<container-id> <command> [args...]",
  min: 1,
  max: Number.POSITIVE_INFINITY,
  flagsFirst: true,
  description: `Runs a process in a container that is created or running. In the foreground it forwards signals and exits
with the status of the process (128 + N when signal N ended it); every failure of its own is 255. What is not said here,
or is empty, is as the container's own process has it. Letters can be grouped (-it), and "--" may stand in front of the
command.`,
  examples: [
    ["exec -it web sh", "a shell in the container"],
    ["exec -u 1000:1000 -e HOME=/tmp web id", "as another user"],
    ["exec -d --pid-file web.pid --process process.json web", "as engines do it"],
  ],
  options: {
    process: {
      kind: "string",
      short: "p",
      placeholder: "FILE",
      description: "JSON file with the whole process, in place of words and options",
    },
    interactive: {
      kind: "boolean",
      short: "i",
      description: "accepted for those who are used to it: standard input is always passed on",
    },
    tty: { kind: "boolean", short: "t", description: "give the process a terminal" },
    cwd: { kind: "string", placeholder: "DIR", description: "working directory in the container" },
    env: {
      kind: "string[]",
      short: "e",
      placeholder: "NAME=VALUE",
      description: "set a variable (repeatable)",
    },
    user: { kind: "string", short: "u", placeholder: "UID[:GID]", description: "user and group, as numbers" },
    "additional-gids": {
      kind: "string[]",
      short: "g",
      placeholder: "GID",
      description: "add a supplementary group (repeatable)",
    },
    cap: {
      kind: "string[]",
      short: "c",
      placeholder: "CAP_NAME",
      description: "add a capability (repeatable)",
    },
    "no-new-privs": { kind: "boolean?", description: "no privileges from set-user-ID programs" },
    apparmor: { kind: "string", placeholder: "PROFILE", description: "AppArmor profile of the process" },
    "process-label": { kind: "string", placeholder: "LABEL", description: "SELinux label of the process" },
    detach: { kind: "boolean", short: "d", description: "return once the process has started" },
    "pid-file": {
      kind: "string",
      placeholder: "PATH",
      description: "file to write the process's pid to; a descriptor by /dev/fd/N",
    },
    "console-socket": {
      kind: "string",
      placeholder: "PATH",
      description: "unix socket that gets the master of the process's terminal",
    },
    "pidfd-socket": {
      kind: "string",
      placeholder: "PATH",
      description: "unix socket that gets a pidfd of the process",
    },
    "preserve-fds": {
      kind: "number",
      placeholder: "N",
      default: 0,
      description: "pass N more file descriptors, after stdio and $LISTEN_FDS",
    },
    cgroup: {
      kind: "string[]",
      placeholder: "[CTRL:]PATH",
      description: "run in this sub-cgroup of the container (repeatable with controllers, on v1)",
    },
    "ignore-paused": {
      kind: "boolean",
      description: "in a paused container wait until it goes on, in place of an error",
    },
  },
  run(context, options, id: string, ...args: string[]) {
    if (!options.process && args.length === 0) throw new Error("exec args cannot be empty");
    const { uid, gid } = options.user ? parseUser(options.user) : {};
    return execContainer(context, {
      id,
      ...optionalPath("processFile", options.process),
      overrides: {
        args,
        terminal: options.tty,
        cwd: options.cwd,
        env: options.env,
        uid,
        gid,
        additionalGids: options["additional-gids"].map((text) => parseId("additional gid", text)),
        capabilities: options.cap,
        noNewPrivileges: options["no-new-privs"],
        apparmorProfile: options.apparmor,
        selinuxLabel: options["process-label"],
      },
      detach: options.detach,
      ...optionalPath("consoleSocket", options["console-socket"]),
      ...optionalPath("pidfdSocket", options["pidfd-socket"]),
      ...optionalPath("pidFile", options["pid-file"]),
      preserveFds: options["preserve-fds"],
      cgroup: options.cgroup,
      ignorePaused: options["ignore-paused"],
    });
  },
});
