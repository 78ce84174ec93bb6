import type { Commands } from "./operations.ts";
export async function profile(_c: Commands, _rounds: number, _only: string | undefined): Promise<unknown> {
  return undefined;
}
