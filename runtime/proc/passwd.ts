/** The user database, of the host or of a container (passwd(5)). */

/** What is known of a user. */
export interface PasswdEntry {
  readonly name: string;
  readonly home: string;
}

/** The first user with this uid in the text of such a file; a line with too few fields is none. */
export function userOf(uid: number, text: string): PasswdEntry | undefined {
  for (const line of text.split("\n")) {
    const fields = line.split(":");
    if (fields.length < 6 || fields[2] !== String(uid)) continue;
    return { name: fields[0] ?? "", home: fields[5] ?? "" };
  }
  return undefined;
}
