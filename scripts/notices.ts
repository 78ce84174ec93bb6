/**
 * What others wrote of an executable, and on which terms: one text for a package, made of what the packages say that it
 * is linked of. Nothing here names them all; a library without such words is an error.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { findLibraries, installed, type Libraries, toolchain } from "./engine.ts";
import type { Target } from "./targets.ts";

const root = join(import.meta.dirname, "..");

type Part = { readonly name: string; readonly words: string };

/** `program` is the bundle that went into the executable: it names the modules. */
export function notices(target: Target, program: string): string {
  const libraries = findLibraries(target);
  const parts = [
    debianPart(`QuickJS ${libraries.version}`, libraries.place, "libquickjs"),
    debianPart(`libseccomp ${seccompVersion(libraries)}`, libraries.place, "libseccomp-dev"),
    ...["libc.a", "libgcc.a"].map((library) => toolchainPart(target, library)),
    ...modulesIn(program).map(modulePart),
  ];
  const line = "-".repeat(78);
  return [
    preface(parts.map(({ name }) => name)),
    ...parts.map(({ name, words }) => `${line}\n${name}\n${line}\n\n${words.trim()}\n`),
  ].join("\n");
}

const preface = (names: readonly string[]): string => `runt is free software; the copyright is
2026 The runt maintainers, and the licence is the Apache License, version 2.0.
On Debian systems its text is in /usr/share/common-licenses/Apache-2.0.

The executable is one static file and contains, beside runt itself:

${names.map((name) => `  * ${name}`).join("\n")}

libseccomp, and the C library but for some files of it, are under the GNU
Lesser General Public License, version 2.1 (or, the C library, any later one):
on Debian systems its text is in /usr/share/common-licenses/LGPL-2.1. Whoever
wants to run runt with a changed one can link it anew: runt's sources and all
that builds it are public, "npm run build" links the libc.a that is installed,
and QUICKJS=DIR names another root directory for libquickjs.a and libseccomp.a.

What their authors say of them:
`;

/** Of a package of Debian that is installed, or unpacked in another place. */
function debianPart(name: string, place: string, packaged: string): Part {
  const file = join(place, "usr/share/doc", packaged, "copyright");
  if (!existsSync(file)) throw new Error(`the executable contains ${name}, and there is no ${file}`);
  return { name, words: readFileSync(file, "utf8") };
}

/** A library that came with the compiler. */
function toolchainPart(target: Target, library: string): Part {
  const file = realpathSync(toolchain(target, "gcc", [`-print-file-name=${library}`]).trim());
  const owner = execFileSync("dpkg-query", ["--search", file], { encoding: "utf8" });
  const packaged = owner.slice(0, owner.search(/[:,]/));
  const { source, version } = installed(packaged);
  return debianPart(`${library} of ${source} ${version}`, "/", packaged);
}

function seccompVersion({ include }: Libraries): string {
  const header = readFileSync(join(include, "seccomp.h"), "utf8");
  return ["MAJOR", "MINOR", "MICRO"]
    .map((part) => new RegExp(`^#define\\s+SCMP_VER_${part}\\s+(\\d+)`, "m").exec(header)?.[1] ?? "?")
    .join(".");
}

/** The packages of npm in a bundle, as paths below node_modules: the bundler writes the name of each module above it. */
export function modulesIn(program: string): string[] {
  const files = program.matchAll(/^\/\/ \S*?\bnode_modules\/(\S+)$/gm);
  const directory = /^(.*\/node_modules\/)?(@[^/]+\/)?[^/]+/;
  return [...new Set([...files].map(([, file = ""]) => directory.exec(file)?.[0] ?? file))].sort();
}

function modulePart(module: string): Part {
  const directory = join(root, "node_modules", module);
  const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly license: string;
  };
  const file = readdirSync(directory).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
  if (file === undefined) throw new Error(`the executable contains ${name}, which has no licence`);
  return {
    name: `${name} ${version} (${license})`,
    words: readFileSync(join(directory, file), "utf8"),
  };
}

/** The text of the licence that the notices name and only Debian has at hand. */
export function lesserLicence(): string {
  const file = "/usr/share/common-licenses/LGPL-2.1";
  if (!existsSync(file))
    throw new Error(`there is no ${file}, which a package outside of Debian has to contain`);
  return readFileSync(file, "utf8");
}
