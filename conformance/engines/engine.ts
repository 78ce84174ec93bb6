// The suite function for engines: its tests share one running engine. The first test that runs starts it, the
// last stops it, and then nothing may be left of it on the machine, as after every conformance test.
import { suite } from "uvu";
import { type CaseOptions, expecting, type Fixture, withFixture } from "../harness.ts";
import { type Need, needs, runtimePath } from "../needs.ts";

export type Engine = {
  /** Name and version, for the table in README.md. */
  readonly version: string;
  readonly stop: () => Promise<void>;
};

export type EngineSuite<E extends Engine> = {
  (title: string, body: (engine: E) => Promise<void>, options?: CaseOptions): void;
  run: () => void;
};

/** Long forms repeat more often; `npm run test:engines` asks for them. */
export const long = process.env.RUNT_ENGINES === "long";

export function engineSuite<E extends Engine>(
  name: string,
  allNeed: readonly Need[],
  start: (c: Fixture) => Promise<E>,
): EngineSuite<E> {
  const tests = suite(name);
  const engine = share(start);
  const add = (title: string, body: (engine: E) => Promise<void>, options: CaseOptions = {}): void => {
    if (!needs(`${name}: ${title}`, "root", "busybox", ...allNeed, ...(options.needs ?? []))) {
      tests.skip(title, () => {});
      return;
    }
    tests(title, () => expecting(options, async () => body(await engine.get())));
  };
  const run = (): void => {
    if (needs(`${name}: it stops`, "root", "busybox", ...allNeed))
      tests("it stops, and nothing of it is left", engine.end);
    else tests.skip("it stops, and nothing of it is left", () => {});
    tests.run();
  };
  return Object.assign(add, { run });
}

/** One fixture, open from the first `get` to `end`. */
function share<E extends Engine>(start: (c: Fixture) => Promise<E>) {
  let opened: Promise<E> | undefined;
  let closed: Promise<void> = Promise.resolve();
  let finish = (): void => {};
  const finishing = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const open = (): Promise<E> =>
    new Promise((resolve, reject) => {
      closed = withFixture(async (c) => {
        const engine = await start(c);
        console.log(`engine: ${engine.version}, runtime ${runtimePath}`);
        resolve(engine);
        await finishing;
        await engine.stop();
      });
      closed.catch(reject);
    });
  return {
    get: (): Promise<E> => {
      opened ??= open();
      return opened;
    },
    end: (): Promise<void> => {
      finish();
      return closed;
    },
  };
}
