/** Commands that put a process into a container, which could reach our executable through /proc. */
export const sealedCommands: ReadonlySet<string> = new Set(["create", "run", "exec", "restore"]);
