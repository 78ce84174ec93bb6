/**
 * config.json, the state and the features document of OCI runtime-spec 1.3.0, Linux part, as types.
 * Names are the specification's own, letter by letter; sections are named above each type. A value of
 * type Spec has passed validateSpec: nothing here is checked at run time.
 */
import type * as N from "./names.ts";

/** An exact integer: a bigint when it does not fit the 53 bits of a number. */
export type Int = number | bigint;

/** A part of the configuration that belongs to another platform: carried along, never looked at. */
export type OtherPlatform = { readonly [key: string]: unknown };

/** config.md. */
export interface Spec {
  readonly ociVersion: string;
  readonly root: Root;
  /** Absent only where the caller of validateSpec allowed it. */
  readonly process?: Process;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly Mount[];
  readonly hooks?: Hooks;
  readonly annotations?: Annotations;
  readonly linux?: Linux;
  readonly solaris?: OtherPlatform;
  readonly windows?: OtherPlatform;
  readonly vm?: OtherPlatform;
  readonly zos?: OtherPlatform;
  readonly freebsd?: OtherPlatform;
}

/** A configuration that has a process, as everything that runs one needs. */
export type RunnableSpec = Spec & { readonly process: Process };

/** config.md "Annotations". */
export type Annotations = { readonly [key: string]: string };

/** config.md "Root". */
export interface Root {
  readonly path: string;
  readonly readonly?: boolean;
}

/** config.md "Mounts". */
export interface Mount {
  readonly destination: string;
  readonly source?: string;
  readonly type?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly LinuxIDMapping[];
  readonly gidMappings?: readonly LinuxIDMapping[];
}

/** config.md "Process". */
export interface Process {
  readonly cwd: string;
  readonly args: readonly string[];
  readonly terminal?: boolean;
  readonly consoleSize?: Box;
  readonly env?: readonly string[];
  readonly user?: User;
  readonly capabilities?: LinuxCapabilities;
  readonly rlimits?: readonly POSIXRlimit[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
  readonly scheduler?: Scheduler;
  readonly ioPriority?: LinuxIOPriority;
  readonly execCPUAffinity?: CPUAffinity;
  /** Windows only. */
  readonly commandLine?: string;
}

/** config.md "Process", consoleSize. */
export interface Box {
  readonly height: number;
  readonly width: number;
}

/** config.md "User"; an absent uid or gid is 0. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
  /** Windows only. */
  readonly username?: string;
}

/** config.md "Linux Process", capabilities. */
export interface LinuxCapabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

/** config.md "POSIX process", rlimits. RLIM_INFINITY is 18446744073709551615. */
export interface POSIXRlimit {
  readonly type: keyof typeof N.rlimitResources;
  readonly soft: Int;
  readonly hard: Int;
}

export type SchedulerPolicy = keyof typeof N.schedulerPolicies;

export type SchedulerFlag = keyof typeof N.schedulerFlags;

/** config.md "Linux Process", scheduler. Times are nanoseconds. */
export interface Scheduler {
  readonly policy: SchedulerPolicy;
  readonly nice?: number;
  readonly priority?: number;
  readonly flags?: readonly SchedulerFlag[];
  readonly runtime?: Int;
  readonly deadline?: Int;
  readonly period?: Int;
}

export type IOPriorityClass = keyof typeof N.ioPriorityClasses;

/** config.md "Linux Process", ioPriority. */
export interface LinuxIOPriority {
  readonly class: IOPriorityClass;
  readonly priority?: number;
}

/** config.md "Linux Process", execCPUAffinity: lists such as "0-3,7". */
export interface CPUAffinity {
  readonly initial?: string;
  readonly final?: string;
}

/** config.md "POSIX-platform Hooks". */
export type Hooks = { readonly [Kind in HookKind]?: readonly Hook[] };

export type HookKind = (typeof N.hookKinds)[number];

/** `timeout` is in seconds. */
export interface Hook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly timeout?: number;
}

/** config-linux.md. */
export interface Linux {
  readonly namespaces?: readonly LinuxNamespace[];
  readonly uidMappings?: readonly LinuxIDMapping[];
  readonly gidMappings?: readonly LinuxIDMapping[];
  readonly timeOffsets?: LinuxTimeOffsets;
  readonly devices?: readonly LinuxDevice[];
  readonly netDevices?: { readonly [hostName: string]: LinuxNetDevice };
  readonly cgroupsPath?: string;
  readonly resources?: LinuxResources;
  readonly intelRdt?: LinuxIntelRdt;
  readonly memoryPolicy?: LinuxMemoryPolicy;
  readonly sysctl?: { readonly [name: string]: string };
  readonly seccomp?: LinuxSeccomp;
  /** "" is as absent. */
  readonly rootfsPropagation?: RootfsPropagation | "";
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly personality?: LinuxPersonality;
}

export type LinuxNamespaceType = keyof typeof N.namespaceFlags;

/** config-linux.md "Namespaces". An absent or empty path asks for a new namespace. */
export interface LinuxNamespace {
  readonly type: LinuxNamespaceType;
  readonly path?: string;
}

/** config-linux.md "User namespace mappings". */
export interface LinuxIDMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

/** config-linux.md "Offset for Time Namespace". */
export interface LinuxTimeOffsets {
  readonly boottime?: LinuxTimeOffset;
  readonly monotonic?: LinuxTimeOffset;
}

export interface LinuxTimeOffset {
  readonly secs?: Int;
  readonly nanosecs?: number;
}

/** config-linux.md "Devices". */
export interface LinuxDevice {
  readonly type: keyof typeof N.deviceTypes;
  readonly path: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** config-linux.md "Network Devices": `name` is the name inside the container. */
export interface LinuxNetDevice {
  readonly name?: string;
}

/** config-linux.md "Control groups". */
export interface LinuxResources {
  readonly devices?: readonly LinuxDeviceCgroup[];
  readonly memory?: LinuxMemory;
  readonly cpu?: LinuxCPU;
  readonly pids?: LinuxPids;
  readonly blockIO?: LinuxBlockIO;
  readonly hugepageLimits?: readonly LinuxHugepageLimit[];
  readonly network?: LinuxNetwork;
  readonly rdma?: { readonly [device: string]: LinuxRdma };
  readonly unified?: { readonly [file: string]: string };
}

/** config-linux.md "Allowed Device list". An absent type is "a"; an absent number is any. */
export interface LinuxDeviceCgroup {
  readonly allow: boolean;
  readonly type?: "a" | "b" | "c" | "";
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

/** config-linux.md "Memory". Bytes; -1 is no limit. */
export interface LinuxMemory {
  readonly limit?: Int;
  readonly reservation?: Int;
  readonly swap?: Int;
  readonly kernel?: Int;
  readonly kernelTCP?: Int;
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** config-linux.md "CPU". Times are microseconds. */
export interface LinuxCPU {
  readonly shares?: Int;
  readonly quota?: Int;
  readonly burst?: Int;
  readonly period?: Int;
  readonly realtimeRuntime?: Int;
  readonly realtimePeriod?: Int;
  readonly cpus?: string;
  readonly mems?: string;
  readonly idle?: number;
}

/** config-linux.md "PIDs". */
export interface LinuxPids {
  readonly limit?: Int;
}

/** config-linux.md "Block IO". */
export interface LinuxBlockIO {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly LinuxWeightDevice[];
  readonly throttleReadBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly LinuxThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly LinuxThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly LinuxThrottleDevice[];
}

export interface LinuxWeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface LinuxThrottleDevice {
  readonly major: number;
  readonly minor: number;
  readonly rate?: Int;
}

/** config-linux.md "Huge page limits". */
export interface LinuxHugepageLimit {
  readonly pageSize: string;
  readonly limit: Int;
}

/** config-linux.md "Network". */
export interface LinuxNetwork {
  readonly classID?: number;
  readonly priorities?: readonly LinuxInterfacePriority[];
}

export interface LinuxInterfacePriority {
  readonly name: string;
  readonly priority: number;
}

/** config-linux.md "RDMA". */
export interface LinuxRdma {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}

/** config-linux.md "IntelRdt". */
export interface LinuxIntelRdt {
  readonly closID?: string;
  readonly schemata?: readonly string[];
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableMonitoring?: boolean;
  /** Until 1.2; 1.3 has enableMonitoring instead. */
  readonly enableCMT?: boolean;
  /** Until 1.2; 1.3 has enableMonitoring instead. */
  readonly enableMBM?: boolean;
}

export type MemoryPolicyMode = keyof typeof N.memoryPolicyModes;

export type MemoryPolicyFlag = keyof typeof N.memoryPolicyFlags;

/** config-linux.md "Memory policy". `nodes` is a list such as "0-3,7". */
export interface LinuxMemoryPolicy {
  readonly mode: MemoryPolicyMode;
  readonly nodes?: string;
  readonly flags?: readonly MemoryPolicyFlag[];
}

export type SeccompAction = keyof typeof N.seccompActions;

export type SeccompFlag = keyof typeof N.seccompFlags;

export type SeccompOperator = keyof typeof N.seccompOperators;

export type SeccompArchitecture = keyof typeof N.seccompArchitectures;

/** config-linux.md "Seccomp". */
export interface LinuxSeccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly SeccompArchitecture[];
  readonly flags?: readonly SeccompFlag[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly LinuxSyscall[];
}

export interface LinuxSyscall {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly LinuxSeccompArg[];
}

export interface LinuxSeccompArg {
  readonly index: number;
  readonly value: Int;
  readonly valueTwo?: Int;
  readonly op: SeccompOperator;
}

/** config-linux.md "Rootfs Mount Propagation", with the recursive forms that runc takes as well. */
export type RootfsPropagation = keyof typeof N.propagations;

/** config-linux.md "Personality". */
export interface LinuxPersonality {
  readonly domain: keyof typeof N.personalityDomains;
  readonly flags?: readonly string[];
}

/** runtime.md "State". */
export type ContainerStatus = "creating" | "created" | "running" | "stopped";

/** runtime.md "State": what hooks read on standard input and `state` prints. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: ContainerStatus;
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Annotations;
}

/** config-linux.md "The Container Process State": what the seccomp agent is sent, beside its descriptors. */
export interface ContainerProcessState {
  readonly ociVersion: string;
  readonly fds: readonly string[];
  readonly pid: number;
  readonly metadata?: string;
  readonly state: State;
}

/** features.md. */
export interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks?: readonly string[];
  readonly mountOptions?: readonly string[];
  readonly annotations?: Annotations;
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[];
  readonly linux?: LinuxFeatures;
}

/** features-linux.md. */
export interface LinuxFeatures {
  readonly namespaces?: readonly LinuxNamespaceType[];
  readonly capabilities?: readonly string[];
  readonly cgroup?: {
    readonly v1?: boolean;
    readonly v2?: boolean;
    readonly systemd?: boolean;
    readonly systemdUser?: boolean;
    readonly rdma?: boolean;
  };
  readonly seccomp?: {
    readonly enabled?: boolean;
    readonly actions?: readonly SeccompAction[];
    readonly operators?: readonly SeccompOperator[];
    readonly archs?: readonly SeccompArchitecture[];
    readonly knownFlags?: readonly SeccompFlag[];
    readonly supportedFlags?: readonly SeccompFlag[];
  };
  readonly apparmor?: Enabled;
  readonly selinux?: Enabled;
  readonly intelRdt?: Enabled & { readonly schemata?: boolean; readonly monitoring?: boolean };
  readonly memoryPolicy?: {
    readonly modes?: readonly MemoryPolicyMode[];
    readonly flags?: readonly MemoryPolicyFlag[];
  };
  readonly mountExtensions?: { readonly idmap?: Enabled };
  readonly netDevices?: Enabled;
}

export interface Enabled {
  readonly enabled?: boolean;
}
