// The test machine: Debian 12 with cgroup v2 and systemd, emulated by QEMU. It boots, runs one shell script as
// root, and is gone: nothing that happens in it lasts, but what the script writes to a directory shared for that.
// There is one of arm64 too, which has no systemd.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A directory of this machine, which has the same path in the other. */
export type Share = { readonly dir: string; readonly writable: boolean };

export type Architecture = "x64" | "arm64";

export type Image = { readonly dir: string; readonly architecture: Architecture };

export type MachineOptions = {
  /** Shell text for bash. */
  readonly command: string;
  readonly shares: readonly Share[];
  /** The command's working directory. */
  readonly cwd: string;
  /** Without systemd, as that of arm64 always is. */
  readonly quick?: boolean;
  readonly megabytes?: number;
  readonly timeoutSeconds: number;
  /** How long the first word of a command that says one at once may take: an emulated boot may hang. */
  readonly firstWordSeconds?: number;
  /** Further arguments of the kernel. */
  readonly kernel?: string;
  readonly stdout: (chunk: Uint8Array) => void;
  readonly stderr: (chunk: Uint8Array) => void;
};

/** How it ended: the command's exit status, or why there is none and the end of what the machine said. */
export type End =
  | { readonly status: number }
  | { readonly failure: string; readonly timedOut: boolean; readonly silent: boolean };

/** The image in the cache, built if need be; or the reason why there can be none on this machine. */
export function findImage(
  architecture: Architecture = "x64",
): { readonly image: Image } | { readonly impossible: string } {
  const script = architecture === "arm64" ? "build_arm64.sh" : "build.sh";
  const { status, stdout } = spawnSync(join(import.meta.dirname, script), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = stdout.trim();
  if (status === 3) return { impossible: said };
  if (status !== 0) throw new Error(`scripts/vm/${script} failed: exit status ${status}`);
  return { image: { dir: said, architecture } };
}

const kernelArguments = [
  "quiet panic=-1 root=/dev/nvme0n1 rootfstype=ext4 rw",
  "apparmor=1 security=apparmor cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1 systemd.show_status=0",
  // What makes an emulated boot shorter.
  "mitigations=off nokaslr nowatchdog random.trust_cpu=on rcupdate.rcu_expedited=1",
].join(" ");

/** What differs between the architectures. */
const emulated = {
  x64: {
    program: "qemu-system-x86_64",
    // Five levels of page tables only cost time here.
    hardware: "-machine pc,usb=off,hpet=off,memory-backend=ram -cpu max,la57=off",
    kernel: "console=ttyS0 tsc=reliable no_timer_check 8250.nr_uarts=1",
  },
  arm64: {
    program: "qemu-system-aarch64",
    hardware: "-machine virt,gic-version=3,memory-backend=ram -cpu cortex-a72",
    kernel: "console=ttyAMA0",
  },
} as const;

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const ports = ["control", "out", "err"] as const;

export async function runInMachine(image: Image, options: MachineOptions): Promise<End> {
  const run = mkdtempSync(join(tmpdir(), "vm-"));
  const children: ChildProcess[] = [];
  const stop = (): void => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(run, { recursive: true, force: true });
  };
  const interrupted = (): never => process.exit(130);
  process.once("exit", stop);
  for (const signal of signals) process.once(signal, interrupted);
  let timedOut = false;
  try {
    let answer = "";
    let silent = true;
    const heard = (say: (chunk: Uint8Array) => void) => (socket: Socket) =>
      socket.on("data", (chunk: Buffer) => {
        silent = false;
        say(chunk);
      });
    const script = scriptOf(options);
    const done = [
      listen(join(run, "control"), (socket) => {
        socket.write(`${Buffer.byteLength(script)}\n${script}`);
        socket.on("data", (chunk) => {
          answer += chunk.toString();
        });
      }),
      listen(join(run, "out"), heard(options.stdout)),
      listen(join(run, "err"), heard(options.stderr)),
    ];
    for (const [i, share] of options.shares.entries()) children.push(await startShare(run, i, share));
    const console = join(run, "console");
    const machine = start(emulated[image.architecture].program, machineArguments(image, run, options));
    children.push(machine);
    let said = "";
    machine.stderr?.on("data", (chunk) => {
      said += String(chunk);
    });
    let within = options.timeoutSeconds;
    const endAfter = (seconds: number, applies: () => boolean) =>
      setTimeout(() => {
        if (!applies()) return;
        timedOut = true;
        within = seconds;
        machine.kill("SIGKILL");
      }, seconds * 1000);
    const timers = [
      endAfter(options.timeoutSeconds, () => true),
      endAfter(options.firstWordSeconds ?? options.timeoutSeconds, () => silent),
    ];
    await new Promise((resolve) => machine.once("exit", resolve));
    timers.forEach(clearTimeout);
    await Promise.all(done.map((close) => close()));
    if (/^\d+\n$/.test(answer)) return { status: Number(answer) };
    const late = silent ? "said nothing" : "did not end";
    const reason = timedOut ? `${late} within ${within} s` : "ended without a status";
    return { failure: `the test machine ${reason}\n${said}${endOf(console)}`, timedOut, silent };
  } finally {
    process.off("exit", stop);
    for (const signal of signals) process.off(signal, interrupted);
    stop();
  }
}

/** Mounts what is shared where every user finds it, and goes on as the command. */
export function scriptOf({
  shares,
  cwd,
  command,
}: Pick<MachineOptions, "shares" | "cwd" | "command">): string {
  const mounts = shares.map(({ dir, writable }, i) => {
    const at = quote(dir);
    // Below a share they are another machine's; /root, say, is the test machine's own.
    const own = parentsOf(dir).filter(
      (parent) => !shares.slice(0, i).some((share) => isBelow(parent, share.dir)),
    );
    const open = own.length > 0 ? `chmod o+x ${own.map(quote).join(" ")} && ` : "";
    return `mkdir -p ${at} && ${open}mount -t virtiofs -o ${writable ? "rw" : "ro"} share${i} ${at} || exit 125`;
  });
  return [...mounts, `cd ${quote(cwd)} || exit 125`, command, ""].join("\n");
}

/** The directories above one, without the root. */
function parentsOf(dir: string): string[] {
  const parent = dirname(dir);
  return parent === "/" ? [] : [...parentsOf(parent), parent];
}

const isBelow = (dir: string, top: string): boolean => `${dir}/`.startsWith(`${top}/`);

/** A word of shell text. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Serves one connection. What is returned waits for its end, or ends the waiting if there never was one. */
function listen(path: string, serve: (socket: Socket) => void): () => Promise<void> {
  let ended: Promise<unknown> = Promise.resolve();
  const server = createServer((socket) => {
    ended = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {}); // the machine went away
    serve(socket);
  }).listen(path);
  return async () => {
    await ended;
    server.close();
  };
}

/** Ends with this process, however that ends. */
const start = (file: string, args: readonly string[]): ChildProcess =>
  spawn("setpriv", ["--pdeathsig", "KILL", file, ...args], { stdio: ["ignore", "ignore", "pipe"] });

/**
 * The daemon's view of the directory is a mount that is read-only by itself, whatever the machine asks for. Its options
 * are those of QEMU's own daemon of old, which the one in Rust takes too.
 */
async function startShare(run: string, index: number, { dir, writable }: Share): Promise<ChildProcess> {
  const source = join(run, `share${index}`);
  const socket = `${source}.socket`;
  mkdirSync(source);
  const script = `mount --bind "$1" "$2" && mount -o "remount,bind,$3" "$2" && exec /usr/lib/qemu/virtiofsd \
    --socket-path="$4" -o source="$2" -o sandbox=chroot -o cache=always -o xattr -o announce_submounts \
    --thread-pool-size=2`;
  const daemon = start("unshare", [
    ...["--mount", "--propagation", "private", "sh", "-c", script],
    ...["sh", dir, source, writable ? "rw" : "ro", socket],
  ]);
  let said = "";
  daemon.stderr?.on("data", (chunk) => {
    said += String(chunk);
  });
  for (let tries = 0; !isListening(socket); tries++) {
    if (tries > 1000 || daemon.exitCode !== null) throw new Error(`virtiofsd does not start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return daemon;
}

/** The flags column of /proc/net/unix has __SO_ACCEPTCON, not only a path that was bound. */
const isListening = (path: string): boolean =>
  readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => line.endsWith(` ${path}`) && line.split(" ")[3] === "00010000");

function machineArguments(image: Image, run: string, options: MachineOptions): string[] {
  const memory = options.megabytes ?? 2048;
  const { hardware, kernel } = emulated[image.architecture];
  const quick = options.quick || image.architecture === "arm64" ? "init=/usr/local/sbin/vm-quick-init" : "";
  return [
    ..."-nodefaults -no-user-config -display none -no-reboot -accel tcg,thread=multi,tb-size=512".split(" "),
    ...`${hardware} -smp 2`.split(" "),
    ...["-m", `${memory}`, "-object", `memory-backend-memfd,id=ram,size=${memory}M,share=on`],
    ...["-kernel", join(image.dir, "vmlinuz")],
    ...["-append", [kernel, kernelArguments, quick, options.kernel ?? ""].join(" ")],
    ...["-drive", `file=${join(image.dir, "disk.img")},format=raw,if=none,id=disk,snapshot=on,cache=unsafe`],
    ..."-device nvme,drive=disk,serial=disk -device virtio-rng-pci -device virtio-serial-pci".split(" "),
    ...["-serial", `file:${join(run, "console")}`],
    ...ports.flatMap((name) => [
      ...["-chardev", `socket,id=${name},path=${join(run, name)}`],
      ...["-device", `virtserialport,chardev=${name},name=vm.${name}`],
    ]),
    ...options.shares.flatMap((_, i) => [
      ...["-chardev", `socket,id=share${i},path=${join(run, `share${i}.socket`)}`],
      ...["-device", `vhost-user-fs-pci,chardev=share${i},tag=share${i},queue-size=512`],
    ]),
  ];
}

function endOf(console: string): string {
  try {
    return readFileSync(console, "utf8").split("\n").slice(-30).join("\n");
  } catch {
    return ""; // QEMU did not get that far
  }
}
