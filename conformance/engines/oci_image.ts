// An OCI image archive with one layer, the busybox root file system, for engines on a machine without a registry.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeRootfs } from "../rootfs.ts";

export const imageName = "docker.io/library/busybox:latest";

/** An image with a process that waits and reaps, as the pause container of a pod must. */
const pauseName = "docker.io/library/pause:latest";

/** The `config` object of an image configuration, by the image's name. */
export type Images = Readonly<Record<string, object>>;

export const busybox: Images = { [imageName]: { Env: ["PATH=/bin"], Cmd: ["sh"] } };

export const pause: Images = {
  [pauseName]: { Env: ["PATH=/bin"], Entrypoint: ["sh", "-c", "while :; do sleep 3600 & wait; done"] },
};

/** Writes the archive to <dir>/image.tar and returns its path. */
export function makeImage(dir: string, images: Images = busybox): string {
  const layout = join(dir, "oci");
  const blobs = join(layout, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  makeRootfs(join(dir, "layer"));
  execFileSync("tar", ["-C", join(dir, "layer"), "-cf", join(dir, "layer.tar"), "."]);

  const blob = (mediaType: string, content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hash = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const layer = blob("application/vnd.oci.image.layer.v1.tar", readFileSync(join(dir, "layer.tar")));
  const manifests = Object.entries(images).map(([name, config]) => ({
    ...blob("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: blob("application/vnd.oci.image.config.v1+json", {
        architecture: process.arch === "arm64" ? "arm64" : "amd64",
        os: "linux",
        config,
        rootfs: { type: "layers", diff_ids: [layer.digest] },
        history: [{ created_by: "busybox" }], // one entry a layer, or nothing can be built on it
      }),
      layers: [layer],
    }),
    annotations: {
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": "latest",
    },
  }));
  writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
  const archive = join(dir, "image.tar");
  execFileSync("tar", ["-C", layout, "-cf", archive, "."]);
  return archive;
}
