/** Which criu there is, and what it can do. */
import { prefixed, RuntimeError } from "../errors.ts";
import { findProgram, pathVariable } from "../self/find_program.ts";
import { wholeEnvironment } from "../self/seal.ts";
import { type CriuResponse, RequestType } from "./rpc.ts";
import { type Program, Swrk } from "./swrk.ts";

/** A criu that has told its version. */
export interface Criu extends Program {
  /** As runc counts it (criu_linux.go, checkCriuVersion): 31701 is 3.17.1. */
  readonly version: number;
}

/** The first with the version in its RPC. */
const MIN_VERSION = 30000;

/** The criu in $PATH, which gets all of the caller's environment: it has more programs to find. Throws as askCriu. */
export function findCriu(): Criu {
  const environment = wholeEnvironment();
  const path = environment.some((entry) => entry.startsWith("PATH=")) ? [] : [`PATH=${pathVariable()}`];
  return checked(() => askCriu({ path: findProgram("criu"), environment: [...environment, ...path] }));
}

/** Asks for the version. Throws when the program does not run, does not answer, or is too old. */
export function askCriu(program: Program): Criu {
  const criu = { ...program, version: askVersion(program) };
  requireVersion(criu, MIN_VERSION);
  return criu;
}

function checked<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw prefixed("CRIU version check failed", error);
  }
}

function askVersion(program: Program): number {
  const swrk = Swrk.start(program);
  try {
    return versionNumber(swrk.request({ type: RequestType.VERSION }));
  } finally {
    swrk.end();
  }
}

/** The number of a version; one of git's counts as the next minor one, as in runc. */
export function versionNumber({ version = {} }: CriuResponse): number {
  const { major_number: major, minor_number: minor, sublevel = 0, gitid } = version;
  if (major === undefined || minor === undefined)
    throw new RuntimeError("child", "criu answered without its version");
  return gitid === undefined ? major * 10000 + minor * 100 + sublevel : major * 10000 + (minor + 1) * 100;
}

/** Throws when criu is older than `oldest`, or than what is said of it needs. */
export function requireVersion({ path, version }: Criu, oldest: number): void {
  if (version < oldest)
    throw new RuntimeError("unsupported", `CRIU version ${version} must be ${oldest} or higher (${path})`);
}

const featureNames = { mem_track: "MemTrack", lazy_pages: "LazyPages" } as const;

/** Asks criu whether it and the kernel can do something; throws when they cannot. */
export function requireFeature(criu: Criu, feature: keyof typeof featureNames): void {
  const swrk = Swrk.start(criu);
  let features: CriuResponse["features"];
  try {
    ({ features } = swrk.request({ type: RequestType.FEATURE_CHECK, features: { [feature]: true } }));
  } catch (error) {
    throw prefixed("CRIU feature check failed", error);
  } finally {
    swrk.end();
  }
  // One that does not know the feature says nothing about it.
  if (features?.[feature] !== true)
    throw new RuntimeError("unsupported", `criu is missing features: [${featureNames[feature]}]`);
}
