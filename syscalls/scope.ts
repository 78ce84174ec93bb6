/** Descriptors that are owned by what opened them: they are closed on every way out. */
import { close } from "./open.ts";
import type { Fd } from "./types.ts";

/** Runs `act` with a descriptor, which is closed when that ends, however it does. */
export function closing<T>(fd: Fd, act: (fd: Fd) => T): T {
  try {
    return act(fd);
  } finally {
    close(fd);
  }
}

/** Gives a descriptor on that has passed a check; one that has not is closed. */
export function checked(fd: Fd, check: (fd: Fd) => void): Fd {
  try {
    check(fd);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** What some code has opened: closed with `close`, the last first, but for what it has handed on. */
export class Owner {
  private owned: Fd[] = [];

  /** Takes a descriptor, and gives it back for use. */
  own(fd: Fd): Fd {
    this.owned.push(fd);
    return fd;
  }

  /** Both ends of a pipe or a pair of sockets. */
  ownBoth(pair: readonly [Fd, Fd]): readonly [Fd, Fd] {
    this.owned.push(pair[0], pair[1]);
    return pair;
  }

  /** Gives a descriptor away: whoever gets it closes it. */
  handOn(fd: Fd): Fd {
    this.owned = this.owned.filter((other) => other !== fd);
    return fd;
  }

  /** Closes one before the others. */
  closeNow(fd: Fd): void {
    close(this.handOn(fd));
  }

  /** Closes all that it still has. */
  close(): void {
    for (let fd = this.owned.pop(); fd !== undefined; fd = this.owned.pop()) close(fd);
  }
}

/** Runs `act` with an owner, whose descriptors are closed when that ends, however it does. */
export function scope<T>(act: (owner: Owner) => T): T {
  const owner = new Owner();
  try {
    return act(owner);
  } finally {
    owner.close();
  }
}
