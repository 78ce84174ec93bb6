/** The container's session keyring (keyrings(7)): new for each container, so that no key of the caller is in reach. */
import { EDQUOT, ENOSYS } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { describeKey, setKeyPermissions, tryJoinSessionKeyring } from "../../syscalls/keyring.ts";

/** Search permission for the owner (linux/key.h, KEY_USR_SEARCH), which exec needs to find the ring again. */
const KEY_USR_SEARCH = 0x00080000;

/** Makes or joins the session keyring of this name; a kernel without keyrings has none to leak. */
export function joinSessionKeyring(name: string): void {
  const serial = tryJoinSessionKeyring(name);
  if (serial === -ENOSYS) return;
  if (serial < 0) {
    const hint =
      serial === -EDQUOT ? "the user's key quota is used up; --no-new-keyring does without" : undefined;
    throw OpError.from("join session keyring", name, -serial, hint);
  }
  const permissions = Number.parseInt(describeKey(serial).split(";")[3] ?? "0", 16);
  setKeyPermissions(serial, permissions | KEY_USR_SEARCH);
}
