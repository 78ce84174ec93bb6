/**
 * Hooks (config.md "POSIX-platform Hooks"): each is a process group of its own that gets the container's state on
 * its standard input, the environment that it declares, and no descriptor of ours.
 */

import { asking } from "../../syscalls/asking.ts";
import { monotonicNow } from "../../syscalls/clock.ts";
import { EAGAIN, errnoMeaning, errnoName } from "../../syscalls/constants/errno.ts";
import { F_SETFL, O_NONBLOCK } from "../../syscalls/constants/fcntl.ts";
import { POLLIN, POLLOUT } from "../../syscalls/constants/poll.ts";
import { cstr, textOf } from "../../syscalls/cstring.ts";
import { dup3, fdAt, pipe, STDERR, tryFcntl } from "../../syscalls/descriptor.ts";
import { tryRead, tryWrite } from "../../syscalls/io.ts";
import { type PollRequest, poll } from "../../syscalls/poll.ts";
import {
  type Cloned,
  execve,
  exitGroup,
  ownProcessGroup,
  stringArray,
  tryKill,
  waitFor,
} from "../../syscalls/process.ts";
import { scope } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import type { Fd } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { fchdir, umask } from "../../syscalls/working_directory.ts";
import type { Hook, HookKind } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import { closeAllFrom, disinherit } from "../self/disinherit.ts";
import { fork } from "../self/fork.ts";

/** What all hooks of one kind share. */
export interface HookContext {
  /** The state document that each reads from its standard input. */
  readonly state: string;
  /**
   * The environment of a hook that declares none, as runc has it: on the runtime's side the caller's, for
   * startContainer that of the process. A program of the host in the container's namespaces gets an empty one: runc
   * 1.1 gives it that of the process, in which an image may have put LD_PRELOAD.
   */
  readonly defaultEnv: () => readonly string[];
  /** Where it starts; the caller's working directory, the bundle, when absent. */
  readonly directory?: Fd;
  /** The caller's, where this process has set another. */
  readonly umask?: number;
  /** The last thing before each hook's execve, in the hook's process. */
  readonly beforeExec?: (() => void) | undefined;
}

/** As much of a hook's output as an error repeats. */
const OUTPUT_LIMIT = 4096;

/** Runs the hooks of a kind in order; the first to fail ends it with an error. */
export function runHooks(kind: HookKind, hooks: readonly Hook[] | undefined, context: HookContext): void {
  hooks?.forEach((hook, i) => {
    asking(`hooks.${kind}[${i}]`, () => runHook(hook, `${kind} hook #${i}: ${hook.path}`, context));
  });
}

function runHook(hook: Hook, name: string, context: HookContext): void {
  scope((owner) => {
    const [stdinRead, stdin] = owner.ownBoth(pipe());
    const [stdout, stdoutWrite] = owner.ownBoth(pipe());
    const [stderr, stderrWrite] = owner.ownBoth(pipe());
    const { pid, pidfd } = forkHook(hook, [stdinRead, stdoutWrite, stderrWrite], context);
    owner.own(pidfd);
    for (const fd of [stdinRead, stdoutWrite, stderrWrite]) owner.closeNow(fd);
    const deadline =
      hook.timeout === undefined ? undefined : monotonicNow() + BigInt(hook.timeout) * 1_000_000_000n;
    const closeInput = () => owner.closeNow(stdin);
    const output = converse({ stdin, stdout, stderr, closeInput }, pidfd, context.state, deadline);
    if (output === "timeout") {
      tryKill(-pid, SIGKILL);
      waitFor(pid);
      throw new RuntimeError(
        "hook",
        `error running ${name}: hook ran past specified timeout of ${hook.timeout}s`,
      );
    }
    const exit = waitFor(pid);
    if (exit === undefined || exit.status === 0) return;
    const how = exit.signal === 0 ? `exit status ${exit.status}` : `signal ${exit.signal}`;
    throw new RuntimeError(
      "hook",
      `error running ${name}: ${how}, stdout: ${output.stdout}, stderr: ${output.stderr}`,
    );
  });
}

/** Forks the hook, with these standard streams and nothing else open. */
function forkHook(hook: Hook, streams: readonly Fd[], context: HookContext): Cloned {
  const path = cstr(hook.path);
  const argv = stringArray(hook.args !== undefined && hook.args.length > 0 ? hook.args : [hook.path]);
  const envp = stringArray(hook.env ?? context.defaultEnv());
  return fork(0, () => {
    ownProcessGroup();
    streams.forEach((fd, standard) => {
      dup3(fd, fdAt(standard), 0);
    });
    if (context.directory !== undefined) fchdir(context.directory);
    if (context.umask !== undefined) umask(context.umask);
    closeAllFrom(3);
    disinherit();
    context.beforeExec?.();
    const errno = -execve(path, argv, envp);
    const text = `exec: ${errnoName(errno)} (${errnoMeaning(errnoName(errno))})`;
    tryWrite(STDERR, encodeUtf8(text));
    exitGroup(127);
  });
}

interface Streams {
  readonly stdin: Fd;
  readonly stdout: Fd;
  readonly stderr: Fd;
  /** The hook has got all of its input, or wants no more. */
  readonly closeInput: () => void;
}

/**
 * Feeds the state, collects output, until the hook itself ends: not until its pipes do, as a child that it left
 * behind may hold them for ever. A hook that does not read its input must not fail (EPIPE is fine).
 */
function converse(
  { stdin, stdout, stderr, closeInput }: Streams,
  pidfd: Fd,
  state: string,
  deadline: bigint | undefined,
): { readonly stdout: string; readonly stderr: string } | "timeout" {
  let input = encodeUtf8(state);
  const output = { stdout: "", stderr: "" };
  let open: Fd[] = [stdout, stderr];
  for (const fd of [stdin, stdout, stderr]) tryFcntl(fd, F_SETFL, O_NONBLOCK);
  let writing = true;
  const drain = (fd: Fd): void => {
    const key = fd === stdout ? "stdout" : "stderr";
    const buffer = new Uint8Array(4096);
    const count = tryRead(fd, buffer);
    if (count === 0 || (count < 0 && count !== -EAGAIN)) open = open.filter((other) => other !== fd);
    else if (count > 0 && output[key].length < OUTPUT_LIMIT) output[key] += textOf(buffer, count);
  };
  for (;;) {
    const requests: PollRequest[] = [{ fd: pidfd, events: POLLIN }];
    for (const fd of open) requests.push({ fd, events: POLLIN });
    if (writing) requests.push({ fd: stdin, events: POLLOUT });
    const left = deadline === undefined ? -1 : Number((deadline - monotonicNow()) / 1_000_000n);
    if (deadline !== undefined && left <= 0) return "timeout";
    const events = poll(requests, left);
    if (writing && (events.at(-1) ?? 0) !== 0) {
      const count = input.length === 0 ? 0 : tryWrite(stdin, input);
      if (count >= 0) input = input.subarray(count);
      if (input.length === 0 || (count < 0 && count !== -EAGAIN)) {
        writing = false;
        closeInput();
      }
    }
    for (const [i, request] of requests.entries()) {
      if (i > 0 && open.includes(request.fd) && events[i] !== 0) drain(request.fd);
    }
    if (events[0] !== 0) {
      for (const fd of [...open]) drain(fd);
      return output;
    }
  }
}
