/** STAND-IN: replaced by the real file when the branches are merged. */
export function exampleSpec(request: { rootless: boolean; uid: number; gid: number }): object {
  return { ociVersion: "1.3.0", ...(request.rootless ? { uid: request.uid, gid: request.gid } : {}) };
}
