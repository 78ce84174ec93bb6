/** The process object of an exec: a file's, or the container's own with what the command line changes. */
import type { HostPath } from "../../syscalls/types.ts";
import { parseJson } from "../config/json.ts";
import { readFile, warnOfUnknown } from "../config/read_config.ts";
import type { LinuxCapabilities, Process, RunnableSpec, User } from "../config/types.ts";
import { validateProcess } from "../config/validate.ts";

/** What the command line of exec can change of the container's process; an empty text changes nothing. */
export interface ProcessOverrides {
  readonly args: readonly string[];
  readonly terminal: boolean;
  readonly cwd?: string | undefined;
  /** NAME=VALUE, added after the container's own. */
  readonly env: readonly string[];
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly additionalGids: readonly number[];
  /** Capabilities added to the bounding, effective and permitted sets: never to the inheritable one. */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges?: boolean | undefined;
  readonly apparmorProfile?: string | undefined;
  readonly selinuxLabel?: string | undefined;
}

/** The validated process. */
export function execProcess(
  config: RunnableSpec,
  file: HostPath | undefined,
  overrides: ProcessOverrides,
  warn: (message: string) => void,
): Process {
  const given = file === undefined ? changed(config.process, overrides) : parseJson(readFile(file), file);
  const { process, warnings, unknown } = validateProcess(given as Parameters<typeof validateProcess>[0]);
  for (const { field, text } of warnings) warn(`${field}: ${text}`);
  if (file !== undefined) warnOfUnknown(unknown, file, warn);
  return file === undefined ? process : completed(process, config.process);
}

/**
 * As runc (exec.go, getProcess): where a process from a file says nothing about what confines it, the container's own
 * goes for it.
 */
function completed(process: Process, own: Process): Process {
  const capabilities = process.capabilities ?? own.capabilities;
  const apparmorProfile = process.apparmorProfile || own.apparmorProfile;
  const selinuxLabel = process.selinuxLabel || own.selinuxLabel;
  const oomScoreAdj = process.oomScoreAdj ?? own.oomScoreAdj;
  const execCPUAffinity = process.execCPUAffinity ?? own.execCPUAffinity;
  const umask = process.user?.umask ?? own.user?.umask;
  return {
    ...process,
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(apparmorProfile ? { apparmorProfile } : {}),
    ...(selinuxLabel ? { selinuxLabel } : {}),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(execCPUAffinity === undefined ? {} : { execCPUAffinity }),
    ...(umask === undefined ? {} : { user: { ...process.user, umask } }),
  };
}

function changed(base: Process, overrides: ProcessOverrides): Process {
  const user: User = {
    ...base.user,
    ...(overrides.uid === undefined ? {} : { uid: overrides.uid }),
    ...(overrides.gid === undefined ? {} : { gid: overrides.gid }),
    additionalGids: [...(base.user?.additionalGids ?? []), ...overrides.additionalGids],
  };
  return {
    ...base,
    args: overrides.args,
    terminal: overrides.terminal,
    env: [...(base.env ?? []), ...overrides.env],
    user,
    ...(overrides.cwd ? { cwd: overrides.cwd } : {}),
    ...(overrides.noNewPrivileges === undefined ? {} : { noNewPrivileges: overrides.noNewPrivileges }),
    ...(overrides.apparmorProfile ? { apparmorProfile: overrides.apparmorProfile } : {}),
    ...(overrides.selinuxLabel ? { selinuxLabel: overrides.selinuxLabel } : {}),
    ...(overrides.capabilities.length === 0
      ? {}
      : { capabilities: withCapabilities(base.capabilities ?? {}, overrides.capabilities) }),
  };
}

/** An ambient capability has to be inheritable as well (capabilities(7)), so it is added only where it was. */
function withCapabilities(base: LinuxCapabilities, added: readonly string[]): LinuxCapabilities {
  const inheritable = new Set(base.inheritable ?? []);
  const plus = (set: readonly string[] | undefined): string[] => [...new Set([...(set ?? []), ...added])];
  return {
    ...base,
    bounding: plus(base.bounding),
    effective: plus(base.effective),
    permitted: plus(base.permitted),
    ambient: [...new Set([...(base.ambient ?? []), ...added.filter((name) => inheritable.has(name))])],
  };
}
