/** A set-user-ID or capability-bearing copy of this program would hand its rights to whoever sets its environment. */
import { O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { read } from "../../syscalls/io.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { RuntimeError } from "../errors.ts";

/** getauxval(3): set when the program was given rights that its caller does not have. */
const AT_SECURE = 23n;

/** Throws when the kernel says so in the auxiliary vector. */
export function refuseSetId(): void {
  const vector = new BigUint64Array(128);
  const length = closing(openat(CWD, "/proc/self/auxv", O_RDONLY), (fd) =>
    read(fd, new Uint8Array(vector.buffer)),
  );
  for (let i = 0; i + 1 < length / 8; i += 2) {
    if (vector[i] === AT_SECURE && vector[i + 1] !== 0n) {
      throw new RuntimeError("safety", "refusing to run set-user-ID, set-group-ID or with file capabilities");
    }
  }
}
