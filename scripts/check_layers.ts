/**
 * Reads the imports of every .ts file and holds the direction of the layers: cmd → runtime → syscalls, the order of
 * the folders inside runtime/, no circle of files, and the fences: the engine's primitives only in syscalls/, and in
 * what is shipped no module of another platform, no package but yargs in cmd/, and nothing that the product does without
 * (promises, timers, imports at run time, the clock of the engine).
 *
 * `bun run scripts/check_layers.ts` prints what it finds and fails; check_layers.test.ts does so in `npm test`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** One line that breaks a rule. */
export type Violation = { readonly file: string; readonly line: number; readonly reason: string };

/** Path relative to the top of the tree → text. */
export type Sources = ReadonlyMap<string, string>;

type Import = {
  readonly file: string;
  readonly line: number;
  readonly target: string;
  readonly typeOnly: boolean;
};

const layers = ["cmd", "runtime", "syscalls"];
const folders = [...layers, "conformance", "scripts"];

/**
 * The rooms of runtime/ from the ground up, as DESIGN.md has them: an import, of a type as well, goes to the same room
 * or to an earlier line. What stands at the top of runtime/ is a room by itself.
 */
const order: readonly (readonly string[])[] = [
  ["errors.ts", "context.ts", "signals.ts"],
  ["path"],
  ["proc"],
  ["config"],
  ["plan"],
  ["systemd"],
  ["host"],
  ["state"],
  ["self"],
  ["channel.ts"],
  ["hooks", "cgroup", "seccomp", "lsm", "intel_rdt", "net_devices", "criu"],
  ["init"],
  ["foreground"],
  ["parent"],
  ["lifecycle"],
];

/** What is shipped of others, and where it is known. */
const packages: readonly (readonly [name: string, folder: string])[] = [
  ["yargs", "cmd/"],
  ["pbf", "runtime/criu/"],
];
const packageList = packages.map(([name, folder]) => `${name} in ${folder}`).join(" and ");

/** What the init process leaves to its parent: the rooms that are about the host. */
const notInInit = ["systemd", "host", "state", "cgroup", "intel_rdt", "net_devices", "criu"];

/** What a plan may use of the kernel: its numbers, its structures, its errors; no function that calls it. */
const ofKernelInPlan = /^syscalls\/(constants\/|types\.ts|error\.ts|struct\.ts)/;

/** Where a forked process begins; nothing else of init/ is run from outside, so that all of it runs in the child. */
const entriesOfInit = ["runtime/init/container_init.ts", "runtime/init/setns_init.ts"];

/**
 * The product is a function from argv to an exit status, the same everywhere: nothing in it is done later, or depends on
 * where it runs. Names of other platforms are unknown to the type checker (scripts/tsconfig.product.json).
 */
const forbidden: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/(?<![\w$.])console\s*\./, "console"],
  [/(?<![\w$.])(await\b|async\s+(function\b|\(|\w+\s*=>))/, "await and async"],
  [/(?<![\w$.])(Promise|queueMicrotask|set(Timeout|Interval|Immediate))\b/, "a promise or a timer"],
  [/(?<![\w$.])import\s*\(/, "a dynamic import"],
  [/(?<![\w$.])Date\s*\.\s*now\b|\bnew\s+Date\b(?!\s*\(\s*[^)\s])/, "the engine's clock"],
  [/(?<![\w$.])(Intl|eval|Function)\s*[.(]/, "Intl and eval"],
  [/\bMath\s*\.\s*random\b/, "Math.random"],
  // QuickJS 2025-04-26 returns its argument: BigInt.asUintN(64, -1n) is -1n.
  [/\bBigInt\s*\.\s*as(Ui|I)ntN\b/, "BigInt.asUintN and asIntN, which are wrong from 64 bits on"],
];

/** Everything that breaks a rule, in the order of the files. */
export function checkLayers(sources: Sources): Violation[] {
  const found: Violation[] = [];
  const imports: Import[] = [];
  for (const [file, text] of sources) {
    const own = importsOf(file, text);
    imports.push(...own);
    for (const item of own) {
      const reason = isTest(file) ? forbiddenInTest(item) : forbiddenImport(item);
      if (reason !== undefined) found.push({ file, line: item.line, reason });
    }
    if (layers.includes(file.split("/")[0] ?? "") && !isTest(file)) found.push(...used(file, text));
  }
  return [...found, ...circles(imports)];
}

/** Tests import what they test from beside it, and may use what they like of the product for it. */
const isTest = (file: string): boolean => /(\.test|_fixture)\.ts$/.test(file);

/** Unit tests run in the engine that ships, and the bundler would put nothing in the place of a module of Node's. */
function forbiddenInTest({ file, target }: Import): string | undefined {
  const unit = layers.includes(file.split("/")[0] ?? "");
  if (unit && /^(node|bun)(:|$)/.test(target)) return `${target}: unit tests run in the engine that ships`;
  return undefined;
}

function forbiddenImport(item: Import): string | undefined {
  const layer = layers.indexOf(item.file.split("/")[0] ?? "");
  if (layer < 0) return undefined;
  const target = resolveTarget(item);
  if (!/^\.\.?\//.test(item.target))
    return packages.some(([name, folder]) => item.target === name && item.file.startsWith(folder))
      ? undefined
      : `${item.target}: what is shipped has no package but ${packageList}, and no module of another platform`;
  if (target.startsWith("syscalls/testing/") && !item.file.startsWith("syscalls/testing/"))
    return "only tests may import syscalls/testing/";
  if (target === "syscalls/engine/host.ts" && layers[layer] !== "syscalls")
    return "only syscalls/ may use the engine's primitives";
  const below = layers.indexOf(target.split("/")[0] ?? "");
  if (below < 0) return target.endsWith(".ts") ? `${layers[layer]}/ must not import ${target}` : undefined;
  if (below < layer) return `upward: ${layers[layer]}/ must not import ${target}`;
  if (layers[layer] === "cmd" && layers[below] === "syscalls")
    return `cmd/ knows runtime/ only, never ${target}`;
  if (
    roomOf(item.file) === "plan" &&
    layers[below] === "syscalls" &&
    !item.typeOnly &&
    !ofKernelInPlan.test(target)
  )
    return `plan/ touches nothing, and must not import ${target}`;
  return layers[layer] === "runtime" && layers[below] === "runtime" ? insideRuntime(item, target) : undefined;
}

function insideRuntime(item: Import, target: string): string | undefined {
  const [own, other] = [lineOf(item.file), lineOf(target)];
  if (own < 0) return `${item.file} has no place in the order of check_layers.ts`;
  if (other < 0) return `${target} has no place in the order of check_layers.ts`;
  if (other > own) return `upward: ${item.file} must not import ${target}`;
  if (other === own && roomOf(target) !== roomOf(item.file))
    return `to a neighbour: ${item.file} must not import ${target}`;
  if (roomOf(item.file) === "init" && notInInit.includes(roomOf(target)))
    return `init/ runs in the container, and must not import ${target}`;
  if (
    roomOf(target) === "init" &&
    roomOf(item.file) !== "init" &&
    !item.typeOnly &&
    !entriesOfInit.includes(target)
  )
    return `init/ is entered by ${entriesOfInit.join(" and ")} alone, not by ${target}`;
  return undefined;
}

const roomOf = (file: string): string => file.split("/")[1] ?? "";

const lineOf = (file: string): number => order.findIndex((line) => line.includes(roomOf(file)));

function resolveTarget({ file, target }: Import): string {
  return normalize(join(dirname(file), target));
}

/** Uses of what the product does without. */
function used(file: string, text: string): Violation[] {
  return maskText(text)
    .split("\n")
    .flatMap((line, i) =>
      forbidden
        .filter(([pattern]) => pattern.test(line))
        .map(([, what]) => ({ file, line: i + 1, reason: `${what}: the product does without` })),
    );
}

/** Static imports and re-exports, with the line on which each begins. */
function importsOf(file: string, text: string): Import[] {
  // The names may be blank in the masked text, so it says where, and the text itself says what.
  const masked = maskText(text);
  const found: Import[] = [];
  const pattern = /^(?:import|export)\b(?:[^;"'`(]*?\bfrom)?\s*["']/gm;
  for (let match = pattern.exec(masked); match !== null; match = pattern.exec(masked)) {
    const target = /^[^"']*/.exec(text.slice(pattern.lastIndex))?.[0] ?? "";
    const line = masked.slice(0, match.index).split("\n").length;
    const typeOnly = /^(?:import|export)\s+type\b/.test(match[0]) || allNamesAreTypes(match[0]);
    found.push({ file, line, target, typeOnly });
  }
  return found;
}

/** `import { type A, type B } from` imports nothing at run time. */
function allNamesAreTypes(statement: string): boolean {
  const names = /^\w+\s*\{([^}]*)\}/.exec(statement)?.[1]?.split(",") ?? [""];
  return names.every((name, i) => /^\s*type\s/.test(name) || (i > 0 && name.trim() === ""));
}

/**
 * The text with comments, strings and the fixed parts of templates blanked, every other character in its place.
 * A regular expression is told from a division by what stands before it.
 */
export function maskText(text: string): string {
  const tokens =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|\$\{[^}]*\}|[^`\\])*`|(?<=(?:^|[=(,:!&|?;{}\n[])\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//g;
  return text.replace(tokens, (token) => {
    if (token.startsWith("`")) return token.replace(/\$\{[^}]*\}|[^\n`]/g, (c) => (c.length > 1 ? c : " "));
    const quote = /^["']/.test(token) ? token[0] : undefined;
    if (quote !== undefined) return `${quote}${" ".repeat(token.length - 2)}${quote}`;
    return token.replace(/[^\n]/g, " ");
  });
}

/**
 * Files of more than one folder that import each other in a circle; a type imported is no dependency at run time.
 * Within a folder two files may know each other.
 */
function circles(imports: readonly Import[]): Violation[] {
  const graph = new Map<string, Import[]>();
  for (const item of imports)
    if (!item.typeOnly && /^\.\.?\//.test(item.target))
      graph.set(item.file, [...(graph.get(item.file) ?? []), item]);
  const found: Violation[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    for (const item of graph.get(file) ?? []) {
      const target = resolveTarget(item);
      const start = path.indexOf(target);
      if (start >= 0) {
        const circle = [...path.slice(start), target];
        if (new Set(circle.map(dirname)).size > 1)
          found.push({ file, line: item.line, reason: `circular import: ${circle.join(" → ")}` });
      } else if (!done.has(target)) visit(target, [...path, target]);
    }
    done.add(file);
  };
  for (const file of graph.keys()) if (!done.has(file)) visit(file, [file]);
  return found;
}

/** Every .ts file of the tree. */
export function readSources(top: string): Map<string, string> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name)),
  );
  return new Map(files.sort().map((file) => [file, readFileSync(join(top, file), "utf8")]));
}

export const describe = ({ file, line, reason }: Violation): string => `${file}:${line}: ${reason}`;

if (import.meta.main) {
  const violations = checkLayers(readSources(join(import.meta.dirname, "..")));
  for (const violation of violations) console.log(describe(violation));
  process.exitCode = violations.length === 0 ? 0 : 1;
}
