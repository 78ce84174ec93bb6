/**
 * The messages of CRIU's RPC, as far as they are used: each field's name, number and type as in its rpc.proto
 * (proto2, images/rpc.proto in CRIU's sources; conformance/criu/rpc.proto is a copy, to which a test holds these).
 */

/** A field: its number, what it holds, and whether there may be several of it. */
export type Field = readonly [number: number, type: FieldType, repeated?: "repeated"];
export type FieldType = "bool" | "int32" | "uint32" | "string" | Message;

/** The fields of a message by their names; interface, as a message may hold messages. */
export interface Message {
  readonly [name: string]: Field;
}

/** What a message holds. A field that was not set is absent, whatever its default is. */
export type Values<M extends Message> = { readonly [Name in keyof M]?: ValueOf<M[Name]> | undefined };

type ValueOf<F> = F extends readonly [number, infer T, "repeated"]
  ? readonly Single<T>[]
  : F extends readonly [number, infer T]
    ? Single<T>
    : never;
type Single<T> = T extends "bool"
  ? boolean
  : T extends "string"
    ? string
    : T extends "int32" | "uint32"
      ? number
      : T extends Message
        ? Values<T>
        : never;

/** criu_req_type. */
export const RequestType = {
  EMPTY: 0,
  DUMP: 1,
  RESTORE: 2,
  PRE_DUMP: 4,
  NOTIFY: 6,
  FEATURE_CHECK: 9,
  VERSION: 10,
} as const;

/** criu_cg_mode. */
export const CgroupMode = { IGNORE: 0, SOFT: 3, FULL: 4, STRICT: 5, DEFAULT: 6 } as const;

export const criu_page_server_info = {
  address: [1, "string"],
  port: [2, "int32"],
} as const satisfies Message;

export const ext_mount_map = { key: [1, "string"], val: [2, "string"] } as const satisfies Message;

export const join_namespace = { ns: [1, "string"], ns_file: [2, "string"] } as const satisfies Message;

export const inherit_fd = { key: [1, "string"], fd: [2, "int32"] } as const satisfies Message;

export const cgroup_root = { ctrl: [1, "string"], path: [2, "string"] } as const satisfies Message;

export const criu_opts = {
  images_dir_fd: [1, "int32"],
  pid: [2, "int32"],
  leave_running: [3, "bool"],
  ext_unix_sk: [4, "bool"],
  tcp_established: [5, "bool"],
  evasive_devices: [6, "bool"],
  shell_job: [7, "bool"],
  file_locks: [8, "bool"],
  log_level: [9, "int32"],
  log_file: [10, "string"],
  ps: [11, criu_page_server_info],
  notify_scripts: [12, "bool"],
  root: [13, "string"],
  parent_img: [14, "string"],
  track_mem: [15, "bool"],
  auto_dedup: [16, "bool"],
  work_dir_fd: [17, "int32"],
  link_remap: [18, "bool"],
  ext_mnt: [23, ext_mount_map, "repeated"],
  manage_cgroups: [24, "bool"],
  cg_root: [25, cgroup_root, "repeated"],
  rst_sibling: [26, "bool"],
  inherit_fd: [27, inherit_fd, "repeated"],
  manage_cgroups_mode: [34, "uint32"],
  external: [37, "string", "repeated"],
  empty_ns: [38, "uint32"],
  join_ns: [39, join_namespace, "repeated"],
  freeze_cgroup: [44, "string"],
  tcp_skip_in_flight: [46, "bool"],
  lazy_pages: [48, "bool"],
  orphan_pts_master: [50, "bool"],
  config_file: [51, "string"],
  lsm_profile: [53, "string"],
  lsm_mount_context: [63, "string"],
} as const satisfies Message;

export const criu_features = { mem_track: [1, "bool"], lazy_pages: [2, "bool"] } as const satisfies Message;

export const criu_req = {
  type: [1, "uint32"],
  opts: [2, criu_opts],
  notify_success: [3, "bool"],
  features: [5, criu_features],
} as const satisfies Message;

export const criu_restore_resp = { pid: [1, "int32"] } as const satisfies Message;

export const criu_notify = { script: [1, "string"], pid: [2, "int32"] } as const satisfies Message;

export const criu_version = {
  major_number: [1, "int32"],
  minor_number: [2, "int32"],
  gitid: [3, "string"],
  sublevel: [4, "int32"],
} as const satisfies Message;

export const criu_resp = {
  type: [1, "uint32"],
  success: [2, "bool"],
  restore: [4, criu_restore_resp],
  notify: [5, criu_notify],
  cr_errno: [7, "int32"],
  features: [8, criu_features],
  cr_errmsg: [9, "string"],
  version: [10, criu_version],
} as const satisfies Message;

export type CriuOpts = Values<typeof criu_opts>;
export type CriuRequest = Values<typeof criu_req>;
export type CriuResponse = Values<typeof criu_resp>;
