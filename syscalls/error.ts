/** The one error of this layer: a failed operation with its object and errno, as data first and words second. */
import { errnoMeaning, errnoName } from "./constants/errno.ts";
import type { FieldName } from "./types.ts";

/** Plain data, so that a forked child can send the whole error over a socket. */
export interface ErrorData {
  /** The operation: a system call or what the runtime was doing, such as "mount proc". */
  readonly op: string;
  /** What a person can look at: a path, "fd 7 </run/x>", "pid 412". */
  readonly object: string;
  /** The errno's name, such as "ENOENT". */
  readonly errno: string;
  /** The part of config.json that asked for it. */
  readonly field?: string;
  /** One more sentence on cause or cure. */
  readonly hint?: string;
}

/** A failed system call. `data.errno` is what callers branch on; the message is for people. */
export class OpError extends Error {
  override readonly name = "OpError";
  constructor(
    readonly data: ErrorData,
    options?: ErrorOptions,
  ) {
    super(describe(data), options);
  }

  /** From a raw errno number. */
  static from(op: string, object: string, errno: number, hint?: string): OpError {
    const data = { op, object, errno: errnoName(errno) };
    return new OpError(hint === undefined ? data : { ...data, hint });
  }

  /** The same failure, now knowing which part of config.json asked for it; the first to say so wins. */
  askedBy(field: FieldName): OpError {
    return this.data.field === undefined ? new OpError({ ...this.data, field }, { cause: this }) : this;
  }

  /** The same failure with a sentence on its cause or cure; one that is there already stays. */
  because(hint: string): OpError {
    return this.data.hint === undefined ? new OpError({ ...this.data, hint }, { cause: this }) : this;
  }

  /** The same failure under the name of what was being attempted. */
  during(op: string, object?: string): OpError {
    return new OpError({ ...this.data, op, object: object ?? this.data.object }, { cause: this });
  }
}

/** True for an OpError with one of these errno names. */
export function isErrno(error: unknown, ...names: readonly string[]): error is OpError {
  return error instanceof OpError && names.includes(error.data.errno);
}

function describe({ op, object, errno, field, hint }: ErrorData): string {
  const subject = object === "" ? op : `${op} ${object}`;
  const asked = field === undefined ? "" : `, asked for by ${field}`;
  const more = hint === undefined ? "" : ` (${hint})`;
  return `${subject}: ${errno} (${errnoMeaning(errno)})${asked}${more}`;
}
