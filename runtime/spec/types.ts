/** The part of config.json that cgroups are planned from, with the names of the specification. */
/** An integer of the configuration: a number where it is exact, a bigint beyond 2^53. */
export type Int = number | bigint;

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
