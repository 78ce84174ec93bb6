/**
 * The C host (syscalls/engine) for one machine: compiled, linked without an image for the build and the unit tests, and
 * once more around an image.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownTarget, type Target } from "./targets.ts";

const root = join(import.meta.dirname, "..");
const sources = join(root, "syscalls/engine");

/**
 * Where the image lies in memory, and before it what only the host of the build has: far from all else, to move nothing,
 * but near enough for a call of arm64, which reaches 128 MB.
 */
const ARENA = 0x20000000;
const ARENA_SIZE = 64 << 20;
const FREEZE_TEXT = 0x04000000;
const FREEZE_DATA = 0x04100000;

const compiling = [
  "-std=c17",
  "-O2",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-D_GNU_SOURCE",
  "-D_FORTIFY_SOURCE=2",
  "-fstack-protector-strong",
  "-fno-pie",
  // No tables of another length for what is linked into the host of the build alone.
  "-fno-asynchronous-unwind-tables",
  "-fno-merge-constants",
];

const linking = [
  "-no-pie",
  "-static",
  "-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code",
  "-Wl,--build-id=none",
  "-Wl,--wrap=gettimeofday",
  `-Wl,--section-start=.arena=0x${ARENA.toString(16)}`,
  `-Wl,--defsym=arena_limit=0x${(ARENA + ARENA_SIZE).toString(16)}`,
];

/** QuickJS and libseccomp: Debian's packages, installed or unpacked by quickjs.sh, or what $QUICKJS names. */
export type Libraries = {
  readonly include: string;
  readonly quickjs: string;
  readonly seccomp: string;
  readonly version: string;
  /** The root directory that they are below. */
  readonly place: string;
};

/** An older QuickJS has other functions; as in quickjs.sh. */
const MIN_VERSION = "2025-04-26";

/** Throws, and says what to do, when they are nowhere. */
export function findLibraries(target: Target): Libraries {
  const given = process.env.QUICKJS;
  const unpacked = join(root, "dist/sysroot", target.debian);
  const places = given === undefined || given === "" ? [unpacked, "/"] : [given];
  for (const place of places) {
    const library = join(place, "usr/lib", target.triplet);
    const quickjs = join(library, "quickjs/libquickjs.a");
    const seccomp = join(library, "libseccomp.a");
    if (!existsSync(quickjs) || !existsSync(seccomp)) continue;
    const version = quickjsVersion(place);
    if (version < MIN_VERSION) continue;
    return { include: join(place, "usr/include"), quickjs, seccomp, version, place };
  }
  throw new Error(
    `no libquickjs.a (of ${MIN_VERSION} or newer) and libseccomp.a for ${target.name} in ${places.join(" or ")}: \`npm run ` +
      `setup\` takes them from Debian; QUICKJS=DIR names another root directory that its packages libquickjs and ` +
      "libseccomp-dev are unpacked in",
  );
}

/** From what Debian's package says of itself; later ones sort behind, and what cannot be known as well. */
function quickjsVersion(place: string): string {
  const copied = join(place, "quickjs-version");
  const text = existsSync(copied)
    ? readFileSync(copied, "utf8")
    : place === "/"
      ? installed("libquickjs").version
      : "unknown";
  return text
    .trim()
    .replace(/-[^-]*$/, "")
    .replaceAll(".", "-");
}

/** What dpkg knows of an installed package. */
export function installed(name: string): { readonly source: string; readonly version: string } {
  const status = execFileSync("dpkg-query", ["--status", name], { encoding: "utf8" });
  const field = (key: string): string | undefined => new RegExp(`^${key}: (\\S+)`, "m").exec(status)?.[1];
  return { source: field("Source") ?? name, version: field("Version") ?? "unknown" };
}

/** Runs a program of the toolchain for a target; its own words are the error. */
export function toolchain(target: Target, name: string, args: readonly string[]): string {
  const prefix = target === ownTarget() ? "" : `${target.triplet}-`;
  return execFileSync(prefix + name, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
}

/** What else is linked into both hosts of an executable that is not shipped: the bench's, which is profiled. */
export type Addition = {
  /** Of C. */
  readonly source: string;
  readonly compiling: readonly string[];
  readonly linking: readonly string[];
};

/** The host without an image; `run BUNDLE` and `freeze BUNDLE IMAGE` are what it does. */
export function buildHost(target: Target, libraries: Libraries, work: string, addition?: Addition): string {
  mkdirSync(work, { recursive: true });
  if (addition !== undefined) {
    const args = [...compiling, "-isystem", libraries.include, `-I${sources}`, ...addition.compiling];
    toolchain(target, "gcc", [...args, "-c", addition.source, "-o", join(work, "addition.o")]);
  }
  for (const name of ["arena", "main", "primitives", "seccomp", "freeze"]) {
    const args = [...compiling, "-isystem", libraries.include, `-ffile-prefix-map=${root}=.`];
    toolchain(target, "gcc", [...args, "-c", join(sources, `${name}.c`), "-o", join(work, `${name}.o`)]);
  }
  toolchain(target, "objcopy", ["--prefix-alloc-sections=.freeze", join(work, "freeze.o")]);
  const host = join(work, "host");
  link(target, libraries, work, `.skip ${ARENA_SIZE}`, host, addition);
  return host;
}

/**
 * The host as an ordinary program of the C library, whose functions and layout valgrind knows, with what debuggers want.
 * `arena` is arena.c, or what stands in its place.
 */
export function buildForValgrind(
  target: Target,
  libraries: Libraries,
  work: string,
  arena = "arena",
): string {
  mkdirSync(work, { recursive: true });
  const host = join(work, `valgrind-${arena}`);
  writeFileSync(`${host}.s`, assembly(`.skip ${ARENA_SIZE}`, true));
  const files = [arena, "main", "primitives", "seccomp", "freeze"].map((name) => join(sources, `${name}.c`));
  const limit = `-Wl,--defsym=arena_limit=arena_start+${ARENA_SIZE}`;
  toolchain(target, "gcc", [
    ...compiling,
    "-g",
    ...["-isystem", libraries.include, "-no-pie", "-Wl,--wrap=gettimeofday", limit],
    ...[...files, `${host}.s`, libraries.quickjs, libraries.seccomp, "-lm", "-o", host],
  ]);
  return host;
}

/** The host around an image that itself has written. Throws when a function is at another place than in that one. */
export function buildExecutable(
  target: Target,
  libraries: Libraries,
  work: string,
  image: string,
  output: string,
  addition?: Addition,
): void {
  link(target, libraries, work, `.incbin "${image}"`, output, addition);
  const differences = moved(symbolsOf(target, join(work, "host")), symbolsOf(target, output));
  if (differences.length > 0)
    throw new Error(
      `the heap points to what has moved between the two links: ${differences.slice(0, 8).join(", ")}`,
    );
  toolchain(target, "strip", ["--remove-section=.comment", output]);
}

function link(
  target: Target,
  libraries: Libraries,
  work: string,
  content: string,
  output: string,
  addition?: Addition,
): void {
  const building = content.startsWith(".skip");
  writeFileSync(`${output}.s`, assembly(content, building));
  toolchain(target, "gcc", ["-c", `${output}.s`, "-o", `${output}.arena.o`]);
  const freezing = [
    `-Wl,--section-start=.freeze.text=0x${FREEZE_TEXT.toString(16)}`,
    `-Wl,--section-start=.freeze.rodata=0x${FREEZE_DATA.toString(16)}`,
    join(work, "freeze.o"),
  ];
  toolchain(target, "gcc", [
    ...linking,
    ...["arena", "main", "primitives", "seccomp"].map((name) => join(work, `${name}.o`)),
    ...(addition === undefined ? [] : [join(work, "addition.o"), ...addition.linking]),
    `${output}.arena.o`,
    libraries.quickjs,
    libraries.seccomp,
    "-lm",
    ...(building ? freezing : []),
    "-o",
    output,
  ]);
}

/** The section of the image. */
function assembly(content: string, empty: boolean): string {
  return [
    `.section .arena,"aw",${empty ? "%nobits" : "%progbits"}`,
    ".globl arena_start",
    ".balign 4096",
    `arena_start: ${content}`,
    ".globl arena_end",
    "arena_end:",
    '.section .note.GNU-stack,"",%progbits',
    "",
  ].join("\n");
}

/** Name and address of everything in a file, but for the image itself and what is in the host of the build alone. */
function symbolsOf(target: Target, file: string): ReadonlyMap<string, string> {
  const symbols = new Map<string, string>();
  for (const line of toolchain(target, "nm", [file]).split("\n")) {
    const [, address = "", kind = "", name = ""] = /^([0-9a-f]+) (\S) (\S+)$/.exec(line) ?? [];
    // The first are in front of the program, behind the header, whose length follows the number of segments.
    const besides = /^(__rela_iplt_|__abi_tag|arena_|__FRAME_END__|__EH_FRAME_BEGIN__)/;
    if (name === "" || besides.test(name) || Number.parseInt(address, 16) >= FREEZE_TEXT) continue;
    // Static names may stand in several files.
    symbols.set(
      `${name} ${kind === "t" || kind === "r" || kind === "d" || kind === "b" ? address : ""}`,
      address,
    );
  }
  return symbols;
}

/** The names whose address is not the same in both, or which only one of them has. */
export function moved(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}
