// A terminal for the runtime to be started on, and sockets that receive descriptors. The system calls are those
// of syscalls/, as Node has none of them.
import "./bun_host.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { constants } from "node:os";
import { F_SETFL, O_NOCTTY, O_NONBLOCK, O_RDWR } from "../syscalls/constants/fcntl.ts";
import { tryFcntl } from "../syscalls/descriptor.ts";
import { tryRead, tryWrite } from "../syscalls/io.ts";
import { CWD, close, openat } from "../syscalls/open.ts";
import { poll } from "../syscalls/poll.ts";
import { accept, listenUnix, receiveMessage } from "../syscalls/socket.ts";
import { getTermios, openPtyPeer, setWindowSize, unlockPty, type WindowSize } from "../syscalls/tty.ts";
import type { Fd } from "../syscalls/types.ts";
import { eventually } from "./command.ts";

/** The master's side of a pty, ours or a container's: what it says is collected. */
export class Screen {
  output = "";
  #ended = false;
  readonly #timer: ReturnType<typeof setInterval>;
  constructor(readonly master: Fd) {
    tryFcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    const buffer = new Uint8Array(64 * 1024);
    const decoder = new TextDecoder();
    this.#timer = setInterval(() => {
      for (let count = tryRead(master, buffer); count > 0; count = tryRead(master, buffer))
        this.output += decoder.decode(buffer.subarray(0, count), { stream: true });
    }, 5);
  }

  type(text: string): void {
    tryWrite(this.master, new TextEncoder().encode(text));
  }

  /** Waits until the output holds the text. */
  async shows(text: string, seconds = 10): Promise<void> {
    if (await eventually(() => this.output.includes(text), seconds)) return;
    throw new Error(
      `the terminal does not show ${JSON.stringify(text)}: ${JSON.stringify(this.output.slice(-2000))}`,
    );
  }

  resize(size: WindowSize): void {
    setWindowSize(this.master, size);
  }

  /**
   * Changes the size until the output holds it as stty(1) says it. An engine's client passes it on, and misses a change
   * that comes after it has asked for the first size and before it listens for others.
   */
  async resizeUntilShown({ rows, columns }: WindowSize): Promise<void> {
    const text = `${rows} ${columns}`;
    for (let tries = 0; tries < 30 && !this.output.includes(text); tries++) {
      this.resize({ rows: rows - 1, columns });
      this.resize({ rows, columns });
      await eventually(() => this.output.includes(text), 2);
    }
    await this.shows(text, 0);
  }

  /** Closes the master, as a terminal emulator that ends. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    close(this.master);
  }
}

export type StartOptions = {
  /** false: the terminal is only its standard streams, as of an engine that hands in one. */
  readonly controlling?: boolean;
  /** In place of the terminal: a descriptor, or "pipe" for what is typed into `child.stdin`. */
  readonly stdin?: Fd | "pipe";
  readonly stdout?: Fd;
};

export type Started = {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The exit status; of one that a signal ended, 128 and its number. */
  readonly status: Promise<number>;
};

export type Terminal = {
  readonly screen: Screen;
  /** Runs a program as the leader of a session on this terminal. */
  readonly start: (argv: readonly string[], options?: StartOptions) => Started;
  /** The settings, as `stty -g` would say them. */
  readonly settings: () => string;
};

/** A terminal of this size during the body. */
export async function withTerminal(
  size: WindowSize,
  body: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  const screen = new Screen(openat(CWD, "/dev/ptmx", O_RDWR | O_NOCTTY));
  unlockPty(screen.master);
  const slave = openPtyPeer(screen.master, O_RDWR | O_NOCTTY);
  screen.resize(size);
  const started: ReturnType<Terminal["start"]>[] = [];
  try {
    await body({
      screen,
      start(argv, { controlling = true, stdin = slave, stdout = slave } = {}) {
        const [file = "", ...args] = controlling ? ["setsid", "--ctty", ...argv] : argv;
        const child = spawn(file, args, { stdio: [stdin, stdout, slave], detached: !controlling });
        const status = new Promise<number>((resolve) =>
          child.once("exit", (code, signal) =>
            resolve(code ?? 128 + (constants.signals[signal ?? "SIGHUP"] ?? 0)),
          ),
        );
        const running = { child, pid: child.pid ?? -1, status };
        started.push(running);
        return running;
      },
      settings: () => Buffer.from(getTermios(slave)).toString("hex"),
    });
    await Promise.all(started.map(({ status }) => status));
  } finally {
    close(slave);
    screen.end(); // a session that still runs is hung up
  }
}

export type Received = { readonly payload: string; readonly fd: Fd };

/** Listens at a path during the body; `receive` gives the payload and the one descriptor of the next peer. */
export async function withListener(
  path: string,
  body: (listener: {
    readonly receive: () => Promise<Received>;
    readonly hangUp: () => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const listener = listenUnix(path);
  const peer = async (): Promise<Fd> => {
    const calls = () => poll([{ fd: listener, events: 1 }], 0)[0] !== 0;
    if (!(await eventually(calls, 10))) throw new Error(`nobody connected to ${path}`);
    return accept(listener);
  };
  try {
    await body({
      async receive() {
        const socket = await peer();
        const before = openDescriptors();
        const message = receiveMessage(socket, 4096);
        const more = openDescriptors() - before;
        close(socket);
        if (typeof message === "number" || message.descriptor === undefined || more !== 1)
          throw new Error(`expected one descriptor, got ${more}: ${JSON.stringify(message)}`);
        return { payload: new TextDecoder().decode(message.bytes), fd: message.descriptor };
      },
      async hangUp() {
        close(await peer());
      },
    });
  } finally {
    close(listener);
  }
}

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;
