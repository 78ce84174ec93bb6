/** What compiling makes and loading takes. */

/** A compiled filter and how it is loaded; made in the parent, before the fork. */
export interface SeccompFilter {
  /** struct sock_filter[]. */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_*. */
  readonly flags: number;
  /** Loading it makes a listener, which has to go to the agent. */
  readonly notifies: boolean;
}
