/**
 * The user of exec: numbers only, read strictly. A name would have to be looked up in the image's passwd, which is
 * hostile (CVE-2016-3697), and a number read leniently has been root before (CVE-2026-30892).
 */

/** The kernel's "no change" value, (uid_t)-1, is no id. */
const MAX_ID = 4294967294;

/** An id in plain decimal. */
export function parseId(what: string, text: string): number {
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (id <= MAX_ID) return id;
  throw new Error(`invalid ${what} ${JSON.stringify(text)}: a number from 0 to ${MAX_ID} is wanted`);
}

/** UID[:GID]; without a group the container's own stays. */
export function parseUser(text: string): { readonly uid: number; readonly gid?: number } {
  const [uid = "", gid, ...rest] = text.split(":");
  if (rest.length > 0) throw new Error(`invalid user ${JSON.stringify(text)}: UID[:GID] is wanted`);
  return gid === undefined
    ? { uid: parseId("uid", uid) }
    : { uid: parseId("uid", uid), gid: parseId("gid", gid) };
}
