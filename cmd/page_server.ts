/** The value of --page-server. */
import { UsageError } from "./options.ts";

/** ADDRESS:PORT, an IPv6 address in brackets; undefined for "". Throws UsageError, in runc's words. */
export function pageServer(text: string): { readonly address: string; readonly port: number } | undefined {
  if (text === "") return undefined;
  const [, inBrackets, plain = inBrackets, port = ""] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(.+)$/.exec(text) ?? [];
  if (plain === undefined) throw new UsageError("Use --page-server ADDRESS:PORT to specify page server");
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new UsageError("Invalid port number");
  return { address: plain, port: Number(port) };
}
